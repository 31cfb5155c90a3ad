import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.models import Invitation, Membership, Organisation, User
from accounts.roles import Role
from tests.conftest import SignIn
from tests.factories import PASSWORD

STRONG = "correct-horse-battery"
BAD_NAMES = ["", " ", "x" * 121, "A\x00B", "A\x1bB", "A\nB"]


def _form(acme: Organisation, **changes: Any) -> dict[str, Any]:
    return {
        "organisation": acme.pk,
        "name": "김민수 🛰️ עברית",
        "email": "new@acme.example",
        "roles": ["contact"],
        **changes,
    }


def _invite(alice: User, acme: Organisation, email: str = "new@acme.example") -> str:
    _invitation, secret = actions.invite(
        organisation=acme, email=email, name="New", roles=["contact"], by=alice, now=timezone.now()
    )
    return secret


def _sign_up(secret: str, **changes: Any) -> tuple[Client, Any]:
    client = Client()
    first = client.get(f"/account/invitation/{secret}/")
    assert first["Location"] == "/account/signup/"
    assert "new@acme.example" in client.get("/account/signup/").content.decode()
    data = {"email": "new@acme.example", "name": "New Person", "password1": STRONG, **changes}
    return client, client.post("/account/signup/", data)


@pytest.mark.clause("C25")
def test_an_invited_person_chooses_a_password_and_is_in(alice: User, acme: Organisation) -> None:
    client, response = _sign_up(_invite(alice, acme))
    assert response.status_code == 302
    membership = Membership.objects.get(user__email="new@acme.example")
    assert (membership.organisation, membership.roles) == (acme, [Role.CONTACT])
    assert "Acme Telecom" in client.get("/people/").content.decode()


def test_sign_up_is_closed_without_an_invitation(db: None) -> None:
    data = {"email": "new@acme.example", "name": "N", "password1": STRONG}
    response = Client().post("/account/signup/", data)
    assert not User.objects.exists()
    assert "invitation" in response.content.decode().lower()


def test_an_invited_person_cannot_choose_another_address(alice: User, acme: Organisation) -> None:
    _client, _response = _sign_up(_invite(alice, acme), email="other@evil.example")
    assert not User.objects.filter(email="other@evil.example").exists()


@pytest.mark.parametrize("password", ["short", "password1234", "12345678901234"])
def test_a_weak_password_is_refused_beside_its_field(alice: User, acme: Organisation, password: str) -> None:
    _client, response = _sign_up(_invite(alice, acme), password1=password)
    assert response.status_code == 200
    assert response.context["form"].errors["password1"]
    assert not User.objects.filter(email="new@acme.example").exists()


@pytest.mark.attack("empty, expired, used token on every token URL")
@pytest.mark.parametrize("secret", ["x", "inv_", "inv_' OR 1=1", "inv_" + "a" * 3000, "null", "[]"])
def test_a_wrong_invitation_link_says_so_and_nothing_else(db: None, secret: str) -> None:
    assert Client().get(f"/account/invitation/{secret}/").status_code == 404


@pytest.mark.attack("empty, expired, used token on every token URL")
def test_a_used_invitation_link_is_worth_nothing(alice: User, acme: Organisation) -> None:
    secret = _invite(alice, acme)
    _sign_up(secret)
    assert Client().get(f"/account/invitation/{secret}/").status_code == 404


def test_somebody_with_an_account_joins_a_second_organisation_after_signing_in(
    alice: User, acme: Organisation, mallory: User, sign_in: SignIn
) -> None:
    secret = _invite(alice, acme, mallory.email)
    assert Client().get(f"/account/invitation/{secret}/")["Location"].startswith("/account/login/")
    client = sign_in(mallory)
    assert "Acme Telecom" in client.get(f"/account/invitation/{secret}/").content.decode()
    client.post(f"/account/invitation/{secret}/")
    assert Membership.objects.active().filter(user=mallory, organisation=acme).exists()


def test_inviting_from_the_page_writes_the_invitation(
    alice: User, acme: Organisation, sign_in: SignIn
) -> None:
    response = sign_in(alice).post("/people/invite/", _form(acme))
    assert response.status_code == 302
    assert Invitation.objects.get().name == "김민수 🛰️ עברית"


@pytest.mark.attack("header injection and CSV formulas")
@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_is_no_name_is_refused_with_the_typed_text_kept(
    alice: User, acme: Organisation, sign_in: SignIn, name: str
) -> None:
    response = sign_in(alice).post("/people/invite/", _form(acme, name=name))
    assert response.status_code == 422
    assert response.context["form"].errors["name"]
    assert "new@acme.example" in response.content.decode()
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no address"),
        ("email", "a" * 250 + "@acme.example"),
        ("email", "x@acme.example\nBcc: all@acme.example"),
        ("roles", ["csc_admin"]),
        ("roles", ["no such role"]),
        ("roles", []),
        ("organisation", "999999"),
        ("organisation", "x"),
        ("organisation", ""),
    ],
)
def test_bad_input_is_refused_beside_its_field(
    alice: User, acme: Organisation, sign_in: SignIn, field: str, value: Any
) -> None:
    response = sign_in(alice).post("/people/invite/", _form(acme, **{field: value}))
    assert response.status_code == 422
    assert response.context["form"].errors[field]
    assert not Invitation.objects.exists()


@pytest.mark.attack("foreign ids in the body")
def test_somebody_elses_organisation_is_no_choice(alice: User, rival: Organisation, sign_in: SignIn) -> None:
    response = sign_in(alice).post("/people/invite/", _form(rival))
    assert response.context["form"].errors["organisation"]
    assert not Invitation.objects.exists()


@pytest.mark.clause("C52")
def test_a_csc_administrator_deactivates_a_contact_from_the_page(
    ada: User, anna: User, sign_in: SignIn
) -> None:
    client = sign_in(anna)
    assert client.get("/people/").status_code == 200
    assert anna.acting is not None
    response = sign_in(ada).post(f"/people/{anna.acting.pk}/deactivate/", {"reason": "Left Acme"})
    assert response.status_code == 302
    assert client.get("/people/").status_code == 302


@pytest.mark.attack("foreign ids in the body")
def test_a_successor_from_elsewhere_is_no_choice(
    alice: User, anna: User, mallory: User, sign_in: SignIn
) -> None:
    assert anna.acting is not None
    assert mallory.acting is not None
    data = {"reason": "Left", "successor": mallory.acting.pk}
    response = sign_in(alice).post(f"/people/{anna.acting.pk}/end/", data)
    assert response.status_code == 422
    assert Membership.objects.active().filter(pk=anna.acting.pk).exists()


def test_a_stranger_and_a_number_that_does_not_exist_look_the_same(
    anna: User, mallory: User, sign_in: SignIn
) -> None:
    client = sign_in(anna)
    assert mallory.acting is not None

    def page(pk: int) -> str:
        response = client.get(f"/people/{pk}/")
        assert response.status_code == 404
        return re.sub(
            r'(csrf-token" content|csrfmiddlewaretoken" value)="[^"]*"', "", response.content.decode()
        ).replace(f"/people/{pk}/", "N")

    assert page(mallory.acting.pk) == page(987654321)


@pytest.mark.attack("which addresses exist")
def test_sign_in_and_reset_say_the_same_for_known_and_unknown_addresses(alice: User, db: None) -> None:
    def bodies(address: str) -> list[str]:
        client = Client()
        pages = [
            client.post("/account/login/", {"login": address, "password": "wrong-password"}),
            client.post("/account/password/reset/", {"email": address}, follow=True),
        ]
        clean = [
            re.sub(r'(csrf-token" content|csrfmiddlewaretoken" value)="[^"]*"', "", p.content.decode())
            for p in pages
        ]
        return [text.replace(address, "ADDRESS") for text in clean]

    assert bodies(alice.email) == bodies("nobody@acme.example")


def test_signing_in_by_mail_address_in_any_case_works(alice: User) -> None:
    alice.set_password(PASSWORD)
    alice.save()
    client = Client()
    response = client.post("/account/login/", {"login": "ALICE@acme.example", "password": PASSWORD})
    assert response.status_code == 302
    assert client.get("/people/").status_code == 200


def test_a_token_is_shown_once(alice: User, sign_in: SignIn) -> None:
    client = sign_in(alice)
    response = client.post("/account/tokens/", {"name": "script", "scope": "read", "days": 30})
    secret = response.context["secret"]
    assert secret in response.content.decode()
    assert secret not in client.get("/account/tokens/").content.decode()


def test_somebody_elses_token_is_not_found(alice: User, mallory: User, sign_in: SignIn) -> None:
    assert alice.acting is not None
    token, _secret = actions.create_token(
        membership=alice.acting, name="script", scope="read", by=alice, now=timezone.now()
    )
    assert sign_in(mallory).post(f"/account/tokens/{token.pk}/revoke/").status_code == 404


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_switching_language_leads_back_to_our_own_pages_only(db: None, target: str) -> None:
    response = Client().post("/account/language/", {"language": "ko", "next": target})
    assert response["Location"] == "/"
    assert response.cookies["django_language"].value == "ko"


def test_the_people_list_asks_a_bounded_number_of_queries(
    alice: User, anna: User, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(alice)
    client.get("/people/")
    with django_assert_max_num_queries(8):
        client.get("/people/")


def test_the_profile_offers_every_zone_and_marks_ones_own(alice: User, sign_in: SignIn) -> None:
    page = sign_in(alice).get("/account/profile/").content.decode()
    assert '<option value="America/Los_Angeles" selected>America/Los_Angeles</option>' in page
    assert '<option value="Asia/Seoul">Asia/Seoul</option>' in page
    assert page.count(" selected>America/") == 1
