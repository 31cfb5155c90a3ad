from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.models import Organisation, User
from tests import factories
from tests.conftest import SignIn


def _token(user: User, scope: str = "write") -> str:
    assert user.acting is not None
    _row, secret = actions.create_token(
        membership=user.acting, name="script", scope=scope, by=user, now=timezone.now()
    )
    return secret


@pytest.mark.attack("session survives deactivation")
def test_the_open_session_of_a_leaver_ends_with_the_next_click(
    alice: User, anna: User, ada: User, sign_in: SignIn
) -> None:
    client = sign_in(anna)
    assert client.get("/account/profile/").status_code == 200
    actions.deactivate_account(user=anna, successor=None, reason="Left", by=ada, now=timezone.now())
    response = client.get("/account/profile/")
    assert response.status_code == 302
    assert response["Location"].startswith("/account/login/")


def test_somebody_without_any_membership_is_signed_out(ended: User, sign_in: SignIn) -> None:
    response = sign_in(ended).get("/account/profile/")
    assert response.status_code == 302


def test_a_person_of_two_organisations_acts_in_one_at_a_time(
    anna: User, rival: Organisation, sign_in: SignIn
) -> None:
    other = factories.MembershipFactory.make(user=anna, organisation=rival)
    client = sign_in(anna)
    assert "Acme Telecom" in client.get("/people/").content.decode()
    client.post("/account/acting/", {"membership": other.pk})
    assert "Rival Net" in client.get("/people/").content.decode()


@pytest.mark.parametrize("chosen", ["", "0", "x", "99999999999999999999999", "-1", "١"])
def test_acting_for_an_organisation_one_does_not_belong_to_is_a_404(
    anna: User, sign_in: SignIn, chosen: str
) -> None:
    assert sign_in(anna).post("/account/acting/", {"membership": chosen}).status_code == 404


def test_acting_as_somebody_elses_membership_is_a_404(anna: User, mallory: User, sign_in: SignIn) -> None:
    assert mallory.acting is not None
    assert sign_in(anna).post("/account/acting/", {"membership": mallory.acting.pk}).status_code == 404


@pytest.mark.attack("empty, expired, used token on every token URL")
@pytest.mark.parametrize("secret", ["", "x", "sp_", "sp_' OR 1=1 --", "sp_" + "a" * 5000])
def test_a_wrong_api_token_is_refused(db: None, secret: str) -> None:
    response = Client().get("/api/v1/cases/", headers={"Authorization": f"Bearer {secret}"})
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.attack("empty, expired, used token on every token URL")
def test_an_api_token_ends_with_its_time_its_revocation_and_its_membership(alice: User, anna: User) -> None:
    secret = _token(anna)
    headers = {"Authorization": f"Bearer {secret}"}
    assert Client().get("/api/v1/cases/", headers=headers).status_code == 200
    assert anna.acting is not None
    token = anna.acting.tokens.get()
    token.created_at -= timedelta(days=100)
    token.expires_at = timezone.now()
    token.save()
    assert Client().get("/api/v1/cases/", headers=headers).status_code == 401
    token.expires_at += timedelta(days=1)
    token.save()
    actions.end_membership(
        membership=anna.acting, successor=None, reason="Left", by=alice, now=timezone.now()
    )
    assert Client().get("/api/v1/cases/", headers=headers).status_code == 401


def test_a_reading_token_does_not_write(anna: User) -> None:
    headers = {"Authorization": f"Bearer {_token(anna, 'read')}"}
    assert Client().post("/api/v1/cases/", {}, headers=headers).status_code == 403


def test_a_token_opens_the_api_only(anna: User) -> None:
    headers = {"Authorization": f"Bearer {_token(anna)}"}
    assert Client().get("/people/", headers=headers).status_code == 302


def test_staff_without_a_second_factor_can_only_set_one_up(sam: User, sign_in: SignIn, settings: Any) -> None:
    settings.REQUIRE_STAFF_MFA = True
    client = sign_in(sam)
    response = client.get("/people/")
    assert response.status_code == 302
    assert response["Location"] == "/account/2fa/totp/activate/"
    assert client.get("/api/v1/cases/").status_code == 403


def test_customers_are_not_asked_for_a_second_factor(anna: User, sign_in: SignIn, settings: Any) -> None:
    settings.REQUIRE_STAFF_MFA = True
    assert sign_in(anna).get("/people/").status_code == 200


def test_the_page_speaks_the_persons_language_whatever_the_browser_asks(minsu: User, sign_in: SignIn) -> None:
    response = sign_in(minsu).get("/account/profile/", headers={"Accept-Language": "de"})
    assert response["Content-Language"] == "ko"
