import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import ApiToken, Invitation, User
from tests.conftest import SignIn

FORM = {"name": "New Person", "email": "new@acme.example", "roles": ["contact"]}


def _invite(client: Client, user: User, **changes: Any) -> Any:
    assert user.acting is not None
    data = {**FORM, "organisation": user.acting.organisation_id, "idempotency_key": "key-1", **changes}
    return client.post("/people/invite/", data)


@pytest.mark.attack("the same form twice")
def test_the_same_form_twice_is_one_act_with_one_answer(alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    first, second = _invite(client, alice), _invite(client, alice)
    assert (first.status_code, second.status_code) == (302, 302)
    assert first["Location"] == second["Location"]
    assert second["Idempotency-Replayed"] == "true"
    assert Invitation.objects.count() == 1


@pytest.mark.attack("the same form twice")
def test_the_same_key_with_another_body_is_refused(alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    _invite(client, alice)
    assert _invite(client, alice, email="other@acme.example").status_code == 422
    assert Invitation.objects.count() == 1


def test_a_refused_form_may_be_corrected_and_sent_again_with_its_key(alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    assert _invite(client, alice, email="no address").status_code == 422
    assert _invite(client, alice).status_code == 302


def test_a_key_belongs_to_one_person(alice: User, minsu: User, sign_in: SignIn) -> None:
    assert _invite(sign_in(alice), alice).status_code == 302
    assert _invite(sign_in(minsu), minsu).status_code == 302
    assert Invitation.objects.count() == 2


def test_a_secret_that_is_shown_once_is_not_shown_again_to_a_repeated_form(
    alice: User, sign_in: SignIn
) -> None:
    client = sign_in(alice)
    form = {"name": "script", "scope": "read", "days": 30, "idempotency_key": "key-2"}
    first = client.post("/account/tokens/", form)
    assert first.context["secret"] in first.content.decode()
    second = client.post("/account/tokens/", form)
    assert second.status_code == 409
    assert first.context["secret"] not in second.content.decode()
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("key", ["a" * 101, "a\tb", "\x7f"])
def test_a_key_that_is_no_key_is_refused_by_the_api(alice: User, sign_in: SignIn, key: str) -> None:
    response = sign_in(alice).post(
        "/api/v1/cases/", {}, content_type="application/json", headers={"Idempotency-Key": key}
    )
    assert response.status_code == 400


@pytest.mark.django_db(transaction=True)
@pytest.mark.attack("the same form twice")
def test_a_double_click_waits_for_the_first_and_is_given_its_answer(alice: User, sign_in: SignIn) -> None:
    clients = [sign_in(alice), sign_in(alice)]
    answers: list[Any] = []
    start = threading.Barrier(2)

    def click(client: Client) -> None:
        start.wait(timeout=10)
        try:
            answers.append(_invite(client, alice))
        finally:
            connection.close()

    threads = [threading.Thread(target=click, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert [a.status_code for a in answers] == [302, 302]
    assert Invitation.objects.count() == 1
