"""Where django-allauth meets the portal: sign-up by invitation only, staff keep their second factor."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from accounts.actions import InvitationNotUsable, accept_invitation, usable_invitation
from accounts.followups import FIRST_PAGES
from accounts.models import Invitation, Membership, User
from accounts.roles import OrganisationKind

INVITATION_KEY = "invitation_secret"


def display_name(user: User) -> str:
    return user.name or user.email


def invitation_of(request: HttpRequest) -> Invitation | None:
    """The invitation whose link this session followed, while it can still be used."""
    secret = request.session.get(INVITATION_KEY)
    if not secret:
        return None
    try:
        return usable_invitation(secret, timezone.now())
    except InvitationNotUsable:
        return None


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return invitation_of(request) is not None

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """The invited person, with the invited address, becomes a member in the same transaction."""
        invitation = invitation_of(request)
        if invitation is None:
            raise InvitationNotUsable
        now = timezone.now()
        user.email = invitation.email
        user.name = form.cleaned_data["name"]
        user.created_at = now
        user.time_zone = invitation.organisation.time_zone
        user.country = invitation.organisation.country
        user.set_password(form.cleaned_data["password1"])
        user.save()
        accept_invitation(invitation=invitation, user=user, now=now)
        request.session.pop(INVITATION_KEY, None)
        return user

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """What a new member has to see first comes first."""
        user = request.user
        if not isinstance(user, User):
            return "/"
        memberships = Membership.objects.active().filter(user=user).select_related("organisation")
        user.acting = memberships.order_by("-started_at", "-pk").first()
        return FIRST_PAGES.path_for(user)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        staff = Membership.objects.filter(
            user=authenticator.user, ended_at=None, organisation__kind=OrganisationKind.VENDOR
        )
        return not (settings.REQUIRE_STAFF_MFA and staff.exists())
