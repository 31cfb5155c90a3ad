"""What the first screens of customers, engineers and managers show: each answers the one question they have."""

from datetime import datetime
from typing import Any, Final

from django.db.models import Case as Choose
from django.db.models import IntegerField, Value, When

from accounts.models import User
from accounts.roles import Permission
from cases.models import Case
from cases.views.escalations import burning
from cases.views.filters import WAITING_STATES
from cases.views.queues import mine_and_unassigned, most_urgent
from contracts.kinds import ContractState
from contracts.models import InstallTask, ServiceContract
from notifications.models import Delivery, Message
from notifications.rendering import inbox_line

SHOWN: Final = 12
FEW: Final = 5


def customer(user: User, now: datetime) -> dict[str, Any]:
    """What is happening with our cases, and what do they wait for?"""
    waits = Choose(
        When(state__in=WAITING_STATES, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    cases = Case.objects.visible_to(user).open().annotate(waits=waits).for_list()
    rows = list(cases.order_by("waits", "priority", "-updated_at", "-pk")[: SHOWN + 1])
    shown = rows[:SHOWN]
    return {
        "waiting": [case for case in shown if case.state in WAITING_STATES],
        "others": [case for case in shown if case.state not in WAITING_STATES],
        "has_more": len(rows) > SHOWN,
        "coverage": _coverage(user, now),
        "installs": list(
            InstallTask.objects.visible_to(user)
            .open()
            .select_related("software", "release")
            .order_by("due_on", "pk")[:FEW]
        ),
        "notices": _unread(user),
        "may_open": user.can(Permission.CASE_OPEN),
        "now": now,
    }


def _coverage(user: User, now: datetime) -> list[dict[str, Any]]:
    """The latest approved contract of each software, and whether it is in force."""
    contracts = ServiceContract.objects.visible_to(user).filter(state=ContractState.APPROVED)
    latest: dict[int, ServiceContract] = {}
    for contract in contracts.select_related("software").order_by("software__name", "software_id", "ends_on")[
        :60
    ]:
        current = latest.get(contract.software_id)
        if current is None or not current.is_in_force_at(now):
            latest[contract.software_id] = contract
    return [
        {
            "contract": one,
            "is_in_force": one.is_in_force_at(now),
            "starts_later": one.starts_at is not None and one.starts_at > now,
        }
        for one in latest.values()
    ]


def _unread(user: User) -> list[dict[str, Any]]:
    rows = Delivery.objects.inbox_of(user).unread().select_related("message").order_by("-pk")[:FEW]
    return [{"message": row.message, "line": inbox_line(row.message)} for row in rows]


def engineer(user: User, now: datetime) -> dict[str, Any]:
    """What do I do next?"""
    unassigned, mine = mine_and_unassigned(user, now, SHOWN)
    return {
        "mine": mine,
        "unassigned": unassigned,
        "next_case": most_urgent([*mine, *unassigned]),
        "notices": _unread(user),
        "takes": user.can(Permission.CASE_TRIAGE),
        "sees_all": True,
        "now": now,
    }


def manager(user: User, now: datetime) -> dict[str, Any]:
    """What is burning, and who has been told?"""
    cases = burning(user, SHOWN)
    shown = {one.mine.pk for one in cases if one.mine}
    missed = Case.objects.visible_to(user).open().filter(next_deadline_at__lt=now).for_list()
    return {
        "cases": cases,
        "alerts": [one for one in _unanswered(user) if one["message"].pk not in shown],
        "missed": list(missed.order_by("next_deadline_at", "pk")[:SHOWN]),
        "sees_all": True,
        "now": now,
    }


def _unanswered(user: User) -> list[dict[str, Any]]:
    """Alerts to this person that nobody has acknowledged, of whatever priority."""
    alerts = Message.objects.visible_to(user).filter(needs_acknowledgement=True, acknowledgement=None)
    return [{"message": row, "line": inbox_line(row)} for row in alerts.order_by("-pk")[:SHOWN]]
