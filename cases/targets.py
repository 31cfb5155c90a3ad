"""The targets of a case as columns on it: when the next answer is due, and what a pause does to that (C15, C68).

Every function changes the row it is given and leaves saving to the action that holds it. Targets, never
guarantees (C74)."""

from datetime import datetime, timedelta
from math import ceil

from cases.models import Case
from cases.workflow import CaseState
from entitlements.calendars import hours_for
from entitlements.clock import ROUND_THE_CLOCK, Hours, add_business, business_time_between
from entitlements.kinds import Clock
from entitlements.models import PolicyTarget
from entitlements.targets import FIRST_RESPONSE, UPDATE, due_of

# what an action that moves a clock has to save
COLUMNS = ("first_response_due_at", "first_responded_at", "update_due_at", "next_deadline_at")

# in these the next word is the customer's, so nothing counts down for JTAC
_CUSTOMERS_TURN = frozenset({CaseState.CUSTOMER_PENDING, CaseState.RESOLUTION_PROPOSED})


def target_of(case: Case) -> PolicyTarget:
    return PolicyTarget.objects.get(policy_id=case.policy_id, priority=case.priority)


def begin(case: Case, *, now: datetime) -> None:
    """The targets of a case that starts, or starts anew, at `now`."""
    target, hours = target_of(case), hours_for(case.site)
    case.first_response_due_at = due_of(target, FIRST_RESPONSE, now, hours)
    case.update_due_at = due_of(target, UPDATE, now, hours)
    refresh(case)


def answered(case: Case, *, now: datetime) -> None:
    """JTAC has written to the customer: the first response once, and the next update from here.

    While the customer is waited for, the whole interval is still ahead when the wait is over."""
    if case.first_responded_at is None:
        case.first_responded_at = now
    start = case.pending_since or now
    case.update_due_at = due_of(target_of(case), UPDATE, start, hours_for(case.site))
    refresh(case)


def expect_update(case: Case, *, now: datetime) -> None:
    """The next word is JTAC's again: the customer hears from it within a whole interval from `now`."""
    case.update_due_at = due_of(target_of(case), UPDATE, now, hours_for(case.site))
    refresh(case)


def changed_priority(case: Case, *, is_raise: bool, cycle_start: datetime, now: datetime) -> None:
    """Another priority, other targets: a raise only ever brings them nearer, a lowering counts them afresh."""
    target, hours = target_of(case), hours_for(case.site)
    start = case.pending_since or now
    first = due_of(target, FIRST_RESPONSE, now if is_raise else cycle_start, hours)
    update = due_of(target, UPDATE, start, hours)
    if is_raise:
        first = min(first, case.first_response_due_at)
        update = min(update, case.update_due_at or update)
    case.first_response_due_at, case.update_due_at = first, update
    refresh(case)


def resume(case: Case, *, since: datetime, now: datetime) -> None:
    """The wait for the customer, which began at `since`, is over: what was left then is left now (C68)."""
    target, hours = target_of(case), hours_for(case.site)
    if case.first_responded_at is None:
        clock = _clock(target.first_response_clock, hours)
        case.first_response_due_at = _moved(case.first_response_due_at, since, now, clock)
    if case.update_due_at is not None:
        case.update_due_at = _moved(case.update_due_at, since, now, _clock(target.update_clock, hours))
    refresh(case)


def refresh(case: Case) -> None:
    """The column that queues sort by: the nearest target that counts, empty while none does."""
    if case.state == CaseState.CLOSED or case.state in _CUSTOMERS_TURN:
        case.next_deadline_at = None
        return
    first = case.first_response_due_at if case.first_responded_at is None else None
    case.next_deadline_at = min((at for at in (first, case.update_due_at) if at is not None), default=None)


def _moved(due_at: datetime, since: datetime, now: datetime, clock: Hours) -> datetime:
    left = business_time_between(since, due_at, clock)
    if left <= timedelta():
        return due_at  # it was missed before the wait began
    return add_business(now, ceil(left / timedelta(minutes=1)), clock)


def _clock(name: str, hours: Hours) -> Hours:
    return ROUND_THE_CLOCK if name == Clock.ALWAYS else hours
