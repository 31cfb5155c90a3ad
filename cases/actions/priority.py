"""Raising and lowering the priority, with what that does to the management ladder (C22)."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import Permission
from cases import ladder, targets
from cases.actions.change import hold, require, save, words
from cases.errors import IllegalPriority, NotAChoice, NotAllowed
from cases.escalation import RAISE_BACK, Lowering, raised_cycle_start
from cases.models import Case, CaseEvent
from cases.notices import already_alerted, customer_side, our_side, tell_of_update
from cases.timeline import record_event
from cases.workflow import EventKind
from entitlements.kinds import HIGH, Priority

_COLUMNS = ("priority", "policy", "restored_at", *targets.COLUMNS)


@transaction.atomic
def raise_priority(
    *, case: Case, to: str, reason: str, by: User, now: datetime, expected_version: int | None = None
) -> Case:
    """Raise the priority: the ladder of the new one starts at this moment, and alerts at once what is due (C22).

    A raise that takes back a lowering of the last 24 hours counts from the earlier start. Raising a case whose
    service was said to be restored takes that back too. Either side may raise.

    Raises: NotAllowed, CaseClosed, CaseChanged, ReasonNeeded; IllegalPriority if `to` is not higher."""
    require(by, Permission.CASE_RAISE)
    to, reason = _known(to), words(reason)
    case = hold(case, by=by, permissions=[Permission.CASE_RAISE], expected_version=expected_version)
    before = case.priority
    if to >= before:
        raise IllegalPriority(_("%(to)s is not higher than %(now)s.") % {"to": to, "now": before})
    cycle = ladder.running_cycle(case)
    start = now
    if cycle is not None:
        start = raised_cycle_start(
            to_priority=to,
            now=now,
            cycle_start=cycle.started_at,
            lowerings=_lowerings(case, cycle.started_at, now),
        )
    case.priority, case.restored_at = to, None
    detail = {"from_priority": before, "to_priority": to, "reason": reason}
    event = record_event(case, EventKind.PRIORITY_RAISED, by=by, now=now, detail=detail)
    ladder.start_cycle(case, started_by=EventKind.PRIORITY_RAISED, now=now, started_at=start)
    targets.changed_priority(case, is_raise=True, cycle_start=start, now=now)
    save(case, *_COLUMNS, now=now)
    tell_of_update(case, event, [*customer_side(case), *our_side(case)], by=by, now=now)
    return case


@transaction.atomic
def lower_priority(
    *, case: Case, to: str, reason: str, by: User, now: datetime, expected_version: int | None = None
) -> Case:
    """Lower the priority, by JTAC: pending rungs become those of the lower one, counted from the cycle's start.

    Everyone already alerted is told, and the customer (C22). A customer asks for it by a reply.

    Raises: NotAllowed, CaseClosed, CaseChanged, ReasonNeeded; IllegalPriority if `to` is not lower."""
    if not by.can(Permission.CASE_TRIAGE):
        raise NotAllowed(_("JTAC lowers a priority. Ask for it in a reply."))
    to, reason = _known(to), words(reason)
    case = hold(case, by=by, permissions=[Permission.CASE_TRIAGE], expected_version=expected_version)
    before = case.priority
    if to <= before:
        raise IllegalPriority(_("%(to)s is not lower than %(now)s.") % {"to": to, "now": before})
    cycle = ladder.running_cycle(case)
    case.priority = to
    targets.changed_priority(case, is_raise=False, cycle_start=cycle.started_at if cycle else now, now=now)
    detail = {"from_priority": before, "to_priority": to, "reason": reason}
    event = record_event(case, EventKind.PRIORITY_LOWERED, by=by, now=now, detail=detail)
    alerted = already_alerted(case) if before in HIGH else []
    save(case, *_COLUMNS, now=now)
    ladder.replan_ladder(case, now=now)
    tell_of_update(case, event, [*customer_side(case), *our_side(case), *alerted], by=by, now=now)
    return case


def _known(to: str) -> str:
    if to not in Priority.values:
        raise NotAChoice("to")
    return str(to)


def _lowerings(case: Case, since: datetime, now: datetime) -> list[Lowering]:
    """The lowerings of the running cycle that a raise may take back."""
    events = CaseEvent.objects.filter(
        case=case,
        kind=EventKind.PRIORITY_LOWERED,
        at__gte=max(since, now - RAISE_BACK - timedelta(seconds=1)),
    )
    return [Lowering(event.at, event.detail["from_priority"]) for event in events.only("at", "detail")]
