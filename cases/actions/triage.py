"""Who has the case, and in which state it is: what JTAC does by hand."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Membership, User
from accounts.roles import Permission
from cases.actions.change import hold, hold_members, require, save, words
from cases.actions.moving import COLUMNS, move, settle_ladder
from cases.errors import IllegalMove, NotAChoice, NotAllowed
from cases.models import Case
from cases.notices import customer_side, tell_of_update
from cases.timeline import record_event
from cases.workflow import MOVES, CaseState, EventKind

TRIAGE = (Permission.CASE_TRIAGE,)
# moves that mean something to the customer
_TOLD = frozenset({CaseState.CUSTOMER_PENDING, CaseState.FIX_PENDING, CaseState.MONITORING})


@transaction.atomic
def take_case(*, case: Case, by: User, now: datetime, expected_version: int | None = None) -> Case:
    """Make the case one's own; from New or Dispatched it is then In progress. Taking it twice changes nothing.

    Raises: NotAllowed, CaseClosed, CaseChanged; IllegalMove when a colleague has it."""
    member = require(by, *TRIAGE)
    if not hold_members([member]):
        raise NotAllowed(_("Your access has ended."))
    case = hold(case, by=by, permissions=TRIAGE, expected_version=expected_version)
    if case.owner_id == member.pk:
        return case
    if case.owner is not None:
        raise IllegalMove(_("%(name)s has this case. Assign it instead.") % {"name": case.owner.user.name})
    case.owner = member
    detail = {"owner": by.name}
    if case.state in (CaseState.NEW, CaseState.DISPATCHED):
        detail |= move(case, CaseState.IN_PROGRESS, now=now)
    record_event(case, EventKind.ASSIGNED, by=by, now=now, detail=detail)
    return save(case, "owner", *COLUMNS, now=now)


@transaction.atomic
def assign_case(
    *, case: Case, to: Membership | None, by: User, now: datetime, expected_version: int | None = None
) -> Case:
    """Give the case to an engineer, or back to the queue (`to=None`); New becomes Dispatched. They get a notice.

    Raises: NotAllowed, CaseClosed, CaseChanged; NotAChoice unless `to` is active staff who works on cases."""
    require(by, *TRIAGE)
    if to is not None and not (_works_on_cases(to) and hold_members([to])):
        raise NotAChoice("to")
    case = hold(case, by=by, permissions=TRIAGE, expected_version=expected_version)
    if case.owner_id == (to.pk if to else None):
        return case
    case.owner = to
    detail = {"owner": to.user.name if to else ""}
    if to is not None and case.state == CaseState.NEW:
        detail |= move(case, CaseState.DISPATCHED, now=now)
    event = record_event(case, EventKind.ASSIGNED, by=by, now=now, detail=detail)
    save(case, "owner", *COLUMNS, now=now)
    tell_of_update(case, event, [to] if to else [], by=by, now=now)
    return case


def _works_on_cases(member: Membership) -> bool:
    return member.is_active and Permission.CASE_TRIAGE in member.permissions


@transaction.atomic
def change_state(
    *,
    case: Case,
    to: str,
    by: User,
    now: datetime,
    reason: str = "",
    expected_version: int | None = None,
) -> Case:
    """Move the case on by hand, as `workflow.MOVES` allows. Customer pending needs the reason, which is shown.

    Waiting for the customer stops targets and business-hours rungs, never those of P1 and P2 (C22, C68).
    Raises: NotAllowed, CaseClosed, CaseChanged, ReasonNeeded; IllegalMove, which says what is possible."""
    require(by, *TRIAGE)
    if to == CaseState.CUSTOMER_PENDING:
        reason = words(reason)
    case = hold(case, by=by, permissions=TRIAGE, expected_version=expected_version)
    check_move(case, to)
    if to == CaseState.RESOLUTION_PROPOSED:
        raise IllegalMove(_("Propose the resolution with its text, so that the customer can answer."))
    detail = move(case, CaseState(to), now=now, reason=reason[:200])
    event = record_event(case, EventKind.STATE, by=by, now=now, detail={**detail, "reason": reason[:200]})
    save(case, *COLUMNS, now=now)
    settle_ladder(case, detail, now=now)
    if to in _TOLD:
        tell_of_update(case, event, customer_side(case), by=by, now=now)
    return case


def check_move(case: Case, to: str) -> None:
    """Raises: IllegalMove unless JTAC may move the case there; the message names the moves there are."""
    moves = MOVES[case.state]
    if to in moves:
        return
    values = {
        "now": CaseState(case.state).label,
        "to": CaseState(to).label if to in CaseState.values else to,
        "moves": ", ".join(str(state.label) for state in CaseState if state in moves),
    }
    if moves:
        raise IllegalMove(_("From %(now)s a case cannot go to %(to)s, only to: %(moves)s.") % values)
    raise IllegalMove(_("From %(now)s a case cannot go to %(to)s.") % values)
