"""The first person of a portal: with a role, or a superuser, never with a weak password."""

from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry, Membership, User
from accounts.roles import Role

STRONG = "ropes-and-42-lanterns"

pytestmark = pytest.mark.django_db


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", STRONG)


def _create(*words: str, mail: str = "Kim@Operator.net") -> str:
    out = StringIO()
    call_command("create_admin", "--email", mail, "--name", "Kim Lee", *words, stdout=out)
    return out.getvalue()


def test_an_administrator_can_sign_in_with_a_verified_address_and_is_on_record(password: None) -> None:
    assert "CSC administrator" in _create()

    member = Membership.objects.get(user__email="kim@operator.net")
    assert member.roles == [Role.CSC_ADMIN]
    assert member.organisation.is_vendor
    assert member.user.check_password(STRONG)
    assert EmailAddress.objects.get(user=member.user).verified
    assert AuditEntry.objects.filter(action="account.created", subject="kim@operator.net").exists()


def test_a_second_administrator_joins_the_same_support_centre(password: None) -> None:
    _create()
    _create(mail="pat@operator.net")

    assert Membership.objects.values("organisation").distinct().count() == 1


def test_a_superuser_has_no_role(password: None) -> None:
    _create("--superuser")

    assert User.objects.get(email="kim@operator.net").is_superuser
    assert not Membership.objects.exists()


@pytest.mark.parametrize("weak", ["short", "password1234", "kim@operator.net", "12345678901234"])
def test_a_weak_password_is_refused_and_nobody_is_created(weak: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", weak)

    with pytest.raises(CommandError) as refusal:
        _create()

    assert "\n" not in str(refusal.value)
    assert not User.objects.exists()


def test_an_address_that_is_taken_is_refused_in_any_case(password: None) -> None:
    _create()

    with pytest.raises(CommandError, match="already"):
        _create(mail="KIM@operator.NET")


@pytest.mark.parametrize(("mail", "words"), [("no-address", ()), ("kim@operator.net", ("--country", "usa"))])
def test_what_cannot_be_right_is_refused(mail: str, words: tuple[str, ...], password: None) -> None:
    with pytest.raises(CommandError):
        _create(*words, mail=mail)


def test_without_a_terminal_or_a_variable_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADMIN_PASSWORD", raising=False)

    with pytest.raises(CommandError, match="ADMIN_PASSWORD"):
        _create()
