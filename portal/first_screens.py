"""Which first screen a person gets, and what is on it: the one question that each kind of person has."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEntry, Invitation, Membership, User
from accounts.roles import Permission
from cases import first_screens as case_screens
from contracts.kinds import ContractState, ReleaseState
from contracts.models import Release, ServiceContract

DORMANT = timedelta(days=90)
SHOWN = 12


@dataclass(frozen=True)
class Screen:
    template: str
    heading: str | Promise
    context: dict[str, Any] = field(default_factory=dict)


def _partner(user: User, now: datetime) -> Screen:
    """Which of my customers' contracts need something?"""
    contracts = ServiceContract.objects.visible_to(user).select_related("end_user", "software")
    soon = now.date() + timedelta(days=90)
    context = {
        "refused": contracts.filter(state=ContractState.REFUSED).order_by("-decided_at", "-pk")[:SHOWN],
        "waiting": contracts.filter(state=ContractState.WAITING).order_by("registered_at", "pk")[:SHOWN],
        "ending": contracts.not_renewed()
        .filter(state=ContractState.APPROVED, ends_on__gt=now.date(), ends_on__lte=soon)
        .order_by("ends_on", "pk")[:SHOWN],
        "today": now.date(),
        "may_register": user.can(Permission.CONTRACT_REGISTER),
    }
    return Screen("contracts/home_partner.html", _("Contracts of your customers"), context)


def _administrator(user: User, now: datetime) -> Screen:
    """Who has access that should not, and what waits for me?"""
    people = Membership.objects.visible_to(user).active().select_related("user", "organisation")
    contracts = ServiceContract.objects.visible_to(user).select_related("end_user", "software", "partner")
    endings = AuditEntry.objects.visible_to(user).filter(
        action__in=["membership.ended", "account.deactivated"]
    )
    context = {
        "waiting": contracts.filter(state=ContractState.WAITING).order_by("registered_at", "pk")[:SHOWN],
        "dormant": people.filter(last_seen_at__lt=now - DORMANT).order_by("last_seen_at", "pk")[:SHOWN],
        "invitations": Invitation.objects.visible_to(user)
        .open_at(now)
        .select_related("organisation")
        .order_by("expires_at", "pk")[:SHOWN],
        "endings": endings.order_by("-at", "-pk")[:SHOWN],
        "now": now,
    }
    return Screen("accounts/home_admin.html", _("Access and contracts"), context)


def _professional_services(user: User, now: datetime) -> Screen:
    """What is ready to be published, and whom did the last ones reach?"""
    releases = Release.objects.visible_to(user).select_related("software", "line", "fixes")
    context = {
        "drafts": releases.filter(state=ReleaseState.DRAFT).order_by("-created_at", "-pk")[:SHOWN],
        "published": releases.filter(state=ReleaseState.PUBLISHED).order_by("-published_at", "-pk")[:SHOWN],
    }
    return Screen("contracts/home_ps.html", _("Releases"), context)


def _auditor(user: User, now: datetime) -> Screen:
    entries = AuditEntry.objects.visible_to(user).order_by("-at", "-pk")[: 2 * SHOWN]
    return Screen("accounts/home_auditor.html", _("What was changed last"), {"entries": entries})


def _superuser(user: User, now: datetime) -> Screen:
    return Screen("accounts/home_superuser.html", _("Administration"))


def first_screen(user: User, now: datetime) -> Screen:
    """The first screen of this person in the membership they act in."""
    if user.acting is None:
        return _superuser(user, now)
    for permission, screen in SCREENS:
        if user.can(permission):
            return screen(user, now)
    return _customer(user, now)


def _customer(user: User, now: datetime) -> Screen:
    return Screen("cases/home_customer.html", _("Your cases"), case_screens.customer(user, now))


def _engineer(user: User, now: datetime) -> Screen:
    return Screen("cases/home_engineer.html", _("What is next"), case_screens.engineer(user, now))


def _manager(user: User, now: datetime) -> Screen:
    return Screen("cases/home_manager.html", _("What is burning"), case_screens.manager(user, now))


# the first right that fits decides; those who hold more than one role get the more urgent screen
SCREENS: list[tuple[Permission, Callable[[User, datetime], Screen]]] = [
    (Permission.ALERT_ACKNOWLEDGE, _manager),
    (Permission.CASE_TRIAGE, _engineer),
    (Permission.CONTRACT_APPROVE, _administrator),
    (Permission.RELEASE_PUBLISH, _professional_services),
    (Permission.AUDIT_VIEW, _auditor),
    (Permission.CONTRACT_REGISTER, _partner),
]
