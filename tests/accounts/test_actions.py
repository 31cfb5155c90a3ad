from datetime import timedelta

import pytest

from accounts import actions
from accounts.export_control import CountryExcluded
from accounts.models import ApiToken, AuditEntry, Invitation, Membership, Organisation, User
from accounts.roles import Role
from tests import factories
from tests.conftest import SignIn
from tests.factories import NOW


def _invite(by: User, organisation: Organisation, email: str = "new@acme.example") -> tuple[Invitation, str]:
    return actions.invite(
        organisation=organisation, email=email, name="New Person", roles=["contact"], by=by, now=NOW
    )


@pytest.mark.clause("C25")
def test_an_account_manager_invites_a_colleague_who_becomes_a_member_once(
    alice: User, acme: Organisation
) -> None:
    invitation, secret = _invite(alice, acme)
    found = actions.usable_invitation(secret, NOW)
    assert found == invitation
    colleague = actions.create_person(email="new@acme.example", name="New Person", password=None, now=NOW)
    membership = actions.accept_invitation(invitation=found, user=colleague, now=NOW)
    assert membership.organisation == acme
    assert membership.roles == [Role.CONTACT]
    with pytest.raises(actions.InvitationNotUsable):
        actions.accept_invitation(invitation=found, user=colleague, now=NOW)


def test_the_secret_of_an_invitation_is_not_kept(alice: User, acme: Organisation) -> None:
    invitation, secret = _invite(alice, acme)
    assert secret not in str(Invitation.objects.filter(pk=invitation.pk).values())
    assert not AuditEntry.objects.filter(detail__icontains=secret).exists()


def test_an_invitation_ends_after_fourteen_days(alice: User, acme: Organisation) -> None:
    _invitation, secret = _invite(alice, acme)
    just_before = NOW + timedelta(days=14) - timedelta(microseconds=1)
    assert actions.usable_invitation(secret, just_before)
    with pytest.raises(actions.InvitationNotUsable):
        actions.usable_invitation(secret, NOW + timedelta(days=14))


def test_an_invitation_is_for_the_invited_address_only(
    alice: User, acme: Organisation, mallory: User
) -> None:
    invitation, _secret = _invite(alice, acme)
    with pytest.raises(actions.InvitationNotUsable):
        actions.accept_invitation(invitation=invitation, user=mallory, now=NOW)
    assert not Membership.objects.filter(user=mallory, organisation=acme).exists()


def test_a_contact_may_not_invite(anna: User, acme: Organisation) -> None:
    with pytest.raises(actions.NotAllowed):
        _invite(anna, acme)


def test_nobody_invites_into_another_organisation(alice: User, rival: Organisation) -> None:
    with pytest.raises(actions.NotAllowed):
        _invite(alice, rival)


def test_a_role_of_the_vendor_cannot_be_given_in_an_end_users_organisation(
    alice: User, acme: Organisation
) -> None:
    with pytest.raises(actions.NotAllowed):
        actions.invite(
            organisation=acme, email="x@acme.example", name="X", roles=["csc_admin"], by=alice, now=NOW
        )


def test_an_address_is_invited_once_at_a_time_and_again_after_it_expired(
    alice: User, acme: Organisation
) -> None:
    _invite(alice, acme)
    with pytest.raises(actions.AlreadyMember):
        _invite(alice, acme, "NEW@acme.example")
    later = NOW + timedelta(days=15)
    actions.invite(
        organisation=acme, email="new@acme.example", name="N", roles=["contact"], by=alice, now=later
    )
    assert Invitation.objects.open_at(later).count() == 1


@pytest.mark.clause("C63")
def test_nobody_is_invited_in_a_country_under_export_control(ada: User) -> None:
    havana = factories.OrganisationFactory.make(name="Havana Tel", country="CU")
    with pytest.raises(CountryExcluded, match="CU"):
        _invite(ada, havana)


@pytest.mark.clause("C63")
def test_nobody_joins_from_a_country_under_export_control_and_whoever_invited_does_not_learn_it(
    alice: User, acme: Organisation, mallory: User, sign_in: SignIn
) -> None:
    User.objects.filter(pk=mallory.pk).update(country="CU")
    _invitation, secret = _invite(alice, acme, mallory.email)
    refused = sign_in(mallory).post(f"/account/invitation/{secret}/")
    assert refused.status_code == 409
    assert "CU" in refused.content.decode()
    assert Invitation.objects.get().accepted_at is None
    assert not acme.memberships.filter(user=mallory).exists()


@pytest.mark.clause("C52")
def test_ending_a_membership_ends_sessions_tokens_and_invitations(
    alice: User, anna: User, acme: Organisation, sign_in: SignIn
) -> None:
    anna_client = sign_in(anna)
    assert anna_client.get("/account/profile/").status_code == 200
    assert anna.acting is not None
    actions.create_token(membership=anna.acting, name="script", scope="read", by=anna, now=NOW)
    actions.end_membership(membership=anna.acting, successor=None, reason="Left", by=alice, now=NOW)
    assert anna_client.get("/account/profile/").status_code == 302
    assert not ApiToken.objects.usable_at(NOW).exists()
    entry = AuditEntry.objects.get(action="membership.ended")
    assert (entry.person, entry.subject, entry.detail["reason"]) == (alice.email, anna.email, "Left")


@pytest.mark.clause("C45")
def test_the_last_technical_contact_stays(alice: User, anna: User, ada: User) -> None:
    assert alice.acting is not None
    with pytest.raises(actions.LastOne):
        actions.end_membership(membership=alice.acting, successor=anna.acting, reason="Left", by=ada, now=NOW)
    assert Membership.objects.active().filter(pk=alice.acting.pk).exists()


def test_a_successor_is_an_active_colleague_of_the_same_organisation(
    alice: User, anna: User, mallory: User
) -> None:
    assert anna.acting is not None
    for wrong in (mallory.acting, anna.acting):
        with pytest.raises(actions.SuccessorNeeded):
            actions.end_membership(membership=anna.acting, successor=wrong, reason="Left", by=alice, now=NOW)


def test_a_contact_ends_nobodys_access(anna: User, alice: User) -> None:
    assert alice.acting is not None
    with pytest.raises(actions.NotAllowed):
        actions.end_membership(membership=alice.acting, successor=None, reason="x", by=anna, now=NOW)


def test_an_account_manager_ends_nobodys_access_elsewhere(alice: User, mallory: User) -> None:
    assert mallory.acting is not None
    with pytest.raises(actions.NotAllowed):
        actions.end_membership(membership=mallory.acting, successor=None, reason="x", by=alice, now=NOW)


@pytest.mark.clause("C53")
def test_a_deactivated_account_is_gone_everywhere_and_leaves_its_trace(
    anna: User, ada: User, rival: Organisation
) -> None:
    factories.MembershipFactory.make(user=anna, organisation=rival)
    actions.deactivate_account(user=anna, successor=None, reason="Left Acme", by=ada, now=NOW)
    anna.refresh_from_db()
    assert not anna.is_active
    assert not Membership.objects.active().filter(user=anna).exists()
    assert AuditEntry.objects.filter(action="account.deactivated", subject=anna.email, at=NOW).exists()


def test_nobody_deactivates_themselves_or_without_the_right(
    ada: User, abel: User, alice: User, anna: User
) -> None:
    with pytest.raises(actions.NotAllowed):
        actions.deactivate_account(user=ada, successor=None, reason="x", by=ada, now=NOW)
    with pytest.raises(actions.NotAllowed):
        actions.deactivate_account(user=anna, successor=None, reason="x", by=alice, now=NOW)


def test_the_last_administrator_stays(ada: User, abel: User) -> None:
    actions.deactivate_account(user=abel, successor=None, reason="Left", by=ada, now=NOW)
    assert ada.acting is not None
    with pytest.raises(actions.LastOne):
        actions.end_membership(membership=ada.acting, successor=None, reason="Left", by=ada, now=NOW)


def test_a_personal_token_is_made_by_its_owner_only(alice: User, anna: User) -> None:
    assert anna.acting is not None
    with pytest.raises(actions.NotAllowed):
        actions.create_token(membership=anna.acting, name="x", scope="read", by=alice, now=NOW)


def test_a_person_who_comes_back_does_not_get_the_old_session_back(
    alice: User, anna: User, acme: Organisation, sign_in: SignIn
) -> None:
    client = sign_in(anna)
    assert anna.acting is not None
    actions.end_membership(membership=anna.acting, successor=None, reason="Left", by=alice, now=NOW)
    factories.MembershipFactory.make(user=anna, organisation=acme)
    assert client.get("/account/profile/").status_code == 302
