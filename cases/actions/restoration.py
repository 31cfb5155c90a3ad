"""Service restored, and what the customer says to that (C16, C22)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import Permission
from cases import ladder
from cases.actions.change import hold, require, save, words
from cases.actions.moving import COLUMNS, move
from cases.errors import IllegalMove
from cases.models import Case
from cases.notices import customer_side, our_side, tell_of_update
from cases.timeline import record_event
from cases.workflow import CaseState, EventKind

_ANSWERED = frozenset({CaseState.CUSTOMER_PENDING, CaseState.MONITORING, CaseState.RESOLUTION_PROPOSED})
DENY = (Permission.CASE_ANSWER, Permission.CASE_TRIAGE)


@transaction.atomic
def mark_restored(
    *, case: Case, by: User, now: datetime, note: str = "", expected_version: int | None = None
) -> Case:
    """Say that service is restored: what is pending on the ladder is cancelled, the customer is told (C16, C22).

    Raises: NotAllowed, CaseClosed, CaseChanged; IllegalMove when it was said before."""
    require(by, Permission.CASE_TRIAGE)
    case = hold(case, by=by, permissions=[Permission.CASE_TRIAGE], expected_version=expected_version)
    if case.restored_at is not None:
        raise IllegalMove(_("Service is marked as restored already."))
    case.restored_at = now
    event = record_event(case, EventKind.RESTORED, by=by, now=now, body=note.strip())
    ladder.cancel_ladder(case, reason="restored", now=now)
    save(case, "restored_at", now=now)
    tell_of_update(case, event, customer_side(case), by=by, now=now)
    return case


@transaction.atomic
def deny_restoration(
    *, case: Case, reason: str, by: User, now: datetime, expected_version: int | None = None
) -> Case:
    """Say that service is not restored, by the customer, or withdraw it, by JTAC: the ladder starts anew (C22).

    A case that waited for the customer or for an answer is In progress again.
    Raises: NotAllowed, CaseClosed, CaseChanged, ReasonNeeded; IllegalMove when nobody said that it is."""
    require(by, *DENY)
    reason = words(reason)
    case = hold(case, by=by, permissions=DENY, expected_version=expected_version)
    if case.restored_at is None:
        raise IllegalMove(_("Nobody has marked service as restored."))
    detail = {"reason": reason, "restored_at": case.restored_at.isoformat()}
    case.restored_at = None
    if case.state in _ANSWERED:
        detail |= move(case, CaseState.IN_PROGRESS, now=now)
    event = record_event(case, EventKind.RESTORATION_DENIED, by=by, now=now, detail=detail)
    ladder.start_cycle(case, started_by=EventKind.RESTORATION_DENIED, now=now)
    save(case, "restored_at", "policy", *COLUMNS, now=now)
    tell_of_update(case, event, [*customer_side(case), *our_side(case)], by=by, now=now)
    return case
