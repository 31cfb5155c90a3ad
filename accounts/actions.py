"""What changes who may get in: invitations, memberships ending, accounts ending, tokens."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts import audit
from accounts.export_control import check_countries
from accounts.followups import INVITATION_ACCEPTED, MEMBERSHIP_ENDED
from accounts.models import ApiToken, Invitation, Membership, Organisation, User
from accounts.roles import ROLES_OF_KIND, Permission, Role
from accounts.tokens import digest, new_secret

INVITATION_DAYS = 14
TOKEN_DAYS = 90


class NotAllowed(Exception):
    """The person may not do this; the message says why."""


class AlreadyMember(Exception):
    """The address belongs to somebody who is a member already, or was invited and has not answered."""


class InvitationNotUsable(Exception):
    """Expired, revoked, or used before. One message for all three: a stranger learns nothing."""


class LastOne(Exception):
    """The change would leave the organisation without anybody who can do what must be done."""


class SuccessorNeeded(Exception):
    """The named person cannot take over: not an active colleague in the same organisation."""


def _check_roles(organisation: Organisation, roles: Iterable[str]) -> None:
    if not set(roles) <= ROLES_OF_KIND[organisation.kind]:
        raise NotAllowed(_("These roles do not exist in %(name)s.") % {"name": organisation.name})


@transaction.atomic
def invite(
    *, organisation: Organisation, email: str, name: str, roles: list[str], by: User, now: datetime
) -> tuple[Invitation, str]:
    """Invite one person to one organisation, for 14 days (C25). Returns it with its secret, which is not kept.

    Raises: NotAllowed for another organisation or roles it does not have; AlreadyMember; CountryExcluded (C63).
    """
    if by.acting is None or not by.can(Permission.PEOPLE_MANAGE):
        raise NotAllowed(_("You may not invite people."))
    if by.acting.organisation_id != organisation.pk and not by.can(Permission.PEOPLE_VIEW_ALL):
        raise NotAllowed(_("You may invite people to your own organisation only."))
    _check_roles(organisation, roles)
    check_countries([organisation.country], day=now.date())
    if Membership.objects.active().filter(organisation=organisation, user__email__iexact=email).exists():
        raise AlreadyMember(_("This address is a colleague already."))
    Invitation.objects.filter(
        organisation=organisation, email__iexact=email, expires_at__lte=now, accepted_at=None, revoked_at=None
    ).update(revoked_at=now)
    secret = new_secret("inv")
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                organisation=organisation,
                email=email.lower(),
                name=name,
                roles=roles,
                token_digest=digest(secret),
                invited_by=by.acting,
                created_at=now,
                expires_at=now + timedelta(days=INVITATION_DAYS),
            )
    except IntegrityError as error:
        raise AlreadyMember(_("This address has an open invitation already.")) from error
    audit.record(
        "invitation.created", by=by, subject=email, now=now, organisation=organisation.name, roles=roles
    )
    return invitation, secret


def usable_invitation(secret: str, now: datetime) -> Invitation:
    """The open invitation behind a link's secret. Raises InvitationNotUsable."""
    found = Invitation.objects.open_at(now).filter(token_digest=digest(secret)).select_related("organisation")
    invitation = found.first()
    if invitation is None:
        raise InvitationNotUsable(_("This invitation is not valid any more. Ask for a new one."))
    return invitation


@transaction.atomic
def accept_invitation(*, invitation: Invitation, user: User, now: datetime) -> Membership:
    """Make the invited person a member, once. The address must be the one that was invited.

    The person's own country is looked at here and not when inviting: whoever invites is not to learn it (C63).

    Raises: InvitationNotUsable when it was used, revoked or has expired meanwhile, or the address differs;
    CountryExcluded for the country of the organisation or of the person (C63).
    """
    check_countries([invitation.organisation.country, user.country], day=now.date())
    claimed = Invitation.objects.open_at(now).filter(pk=invitation.pk, email__iexact=user.email)
    if not claimed.update(accepted_at=now, accepted_by=user):
        raise InvitationNotUsable(_("This invitation is not valid any more. Ask for a new one."))
    membership, _is_new = Membership.objects.get_or_create(
        user=user,
        organisation=invitation.organisation,
        ended_at=None,
        defaults={"roles": invitation.roles, "started_at": now},
    )
    user.acting = membership
    audit.record("invitation.accepted", by=user, subject=user.email, now=now, roles=membership.roles)
    INVITATION_ACCEPTED.call(membership=membership, by=user, now=now)
    return membership


def create_person(*, email: str, name: str, password: str | None, now: datetime, **fields: object) -> User:
    """A person with a verified address. Callers vouch for the address (an invitation's link, the demo world)."""
    user = User(email=email.lower(), name=name, created_at=now, **fields)
    if password is None:
        user.set_unusable_password()
    else:
        user.set_password(password)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def _check_not_last(membership: Membership, by: User | None) -> None:
    """One technical contact stays (C45); the last CSC administrator cannot remove themselves."""
    others = (
        Membership.objects.active().filter(organisation=membership.organisation).exclude(pk=membership.pk)
    )
    for role, message in (
        (Role.TECHNICAL_CONTACT, _("The last technical contact cannot leave: name another one first (C45).")),
        (Role.ACCOUNT_MANAGER, _("The last account manager cannot leave without a successor.")),
        (Role.CSC_ADMIN, _("The last CSC administrator cannot be removed.")),
    ):
        if membership.has_role(role) and not others.with_role(role).exists():
            raise LastOne(message)


@transaction.atomic
def end_membership(
    *, membership: Membership, successor: Membership | None, reason: str, by: User, now: datetime
) -> Membership:
    """End one person's access to one organisation, at once, in one transaction (C52).

    Sessions that act in it, its tokens and open invitations end here; what other apps hold (pending
    deliveries, duty, case ownership) ends through MEMBERSHIP_ENDED. Open cases go to `successor`.
    Raises: NotAllowed; LastOne (C45); SuccessorNeeded.
    """
    membership = Membership.objects.locked(membership.pk)
    # one leaver at a time per organisation, or two could each believe that the other stays
    Organisation.objects.select_for_update(no_key=True).get(pk=membership.organisation_id)
    is_own_manager = by.acting is not None and by.acting.organisation_id == membership.organisation_id
    if not by.can(Permission.ACCOUNT_DEACTIVATE) and not (
        by.can(Permission.PEOPLE_MANAGE) and is_own_manager and not membership.organisation.is_vendor
    ):
        raise NotAllowed(_("You may not end this person's access."))
    if membership.ended_at is not None:
        return membership
    _check_not_last(membership, by)
    if successor is not None and (
        successor.pk == membership.pk
        or successor.organisation_id != membership.organisation_id
        or not successor.is_active
    ):
        raise SuccessorNeeded(_("Choose an active colleague of the same organisation."))
    _end(membership, successor=successor, reason=reason, by=by, now=now)
    return membership


def _end(
    membership: Membership, *, successor: Membership | None, reason: str, by: User, now: datetime
) -> None:
    membership.ended_at, membership.ended_reason = now, reason
    membership.save(update_fields=["ended_at", "ended_reason"])
    ApiToken.objects.filter(membership=membership, revoked_at=None).update(revoked_at=now)
    Invitation.objects.filter(invited_by=membership, accepted_at=None, revoked_at=None).update(revoked_at=now)
    end_sessions(membership.user)
    MEMBERSHIP_ENDED.call(membership=membership, successor=successor, by=by, now=now)
    audit.record(
        "membership.ended",
        by=by,
        subject=membership.user.email,
        now=now,
        organisation=membership.organisation.name,
        reason=reason,
        successor=str(successor) if successor else None,
    )


def end_sessions(user: User) -> None:
    """Every open session of the person ends; those with another membership simply sign in again."""
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    keys = list(UserSession.objects.filter(user=user).values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    UserSession.objects.filter(user=user).delete()


@transaction.atomic
def deactivate_account(
    *, user: User, successor: Membership | None, reason: str, by: User, now: datetime
) -> User:
    """End the whole account: every membership, every session, every second factor (C52, C53).

    `successor` takes over the open cases of the membership in the same organisation. Raises: NotAllowed;
    LastOne; SuccessorNeeded when nobody named belongs to an organisation in which open work is left.
    """
    if not by.can(Permission.ACCOUNT_DEACTIVATE):
        raise NotAllowed(_("Only a CSC administrator deactivates an account."))
    if user.pk == by.pk:
        raise NotAllowed(_("You cannot deactivate your own account."))
    user = User.objects.select_for_update().get(pk=user.pk)
    for membership in Membership.objects.filter(user=user, ended_at=None).order_by("pk"):
        fits = successor is not None and successor.organisation_id == membership.organisation_id
        end_membership(
            membership=membership, successor=successor if fits else None, reason=reason, by=by, now=now
        )
    user.is_active = False
    user.save(update_fields=["is_active"])
    Authenticator.objects.filter(user=user).delete()
    end_sessions(user)
    audit.record("account.deactivated", by=by, subject=user.email, now=now, reason=reason)
    return user


@transaction.atomic
def create_token(
    *, membership: Membership, name: str, scope: str, by: User, now: datetime, days: int = TOKEN_DAYS
) -> tuple[ApiToken, str]:
    """A personal token for the API, and its secret, which is shown once. It ends with the membership."""
    if by.pk != membership.user_id:
        raise NotAllowed(_("A personal token can be made by its owner only."))
    secret = new_secret("sp")
    token = ApiToken.objects.create(
        membership=membership,
        name=name,
        scope=scope,
        prefix=secret[:9],
        digest=digest(secret),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    audit.record("token.created", by=by, subject=name, now=now, scope=scope)
    return token, secret


@transaction.atomic
def revoke_token(*, token: ApiToken, by: User, now: datetime) -> None:
    """End a token now. Ending it twice changes nothing."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        audit.record("token.revoked", by=by, subject=token.name, now=now)
