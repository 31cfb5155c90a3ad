"""How a case ends: a resolution is proposed and answered, the case is closed, and may be reopened for a while."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import Permission
from cases import ladder, targets
from cases.actions.change import hold, require, save, words
from cases.actions.moving import COLUMNS, move, settle_ladder
from cases.actions.triage import check_move
from cases.errors import IllegalMove, NotAllowed, NotCovered
from cases.models import Case, CaseEvent
from cases.notices import customer_side, our_side, tell_of_update
from cases.timeline import record_event
from cases.workflow import CaseState, EventKind
from entitlements.actions import decide_and_record
from entitlements.kinds import Purpose

REOPEN_WITHIN: Final = timedelta(days=14)
_ENDED = ("closed_at", "restored_at", "resolution", "cause", "proposed_at", *COLUMNS)
_ANSWER = (Permission.CASE_ANSWER,)
_TRIAGE = (Permission.CASE_TRIAGE,)


@transaction.atomic
def propose_resolution(
    *,
    case: Case,
    resolution: str,
    by: User,
    now: datetime,
    cause: str = "",
    expected_version: int | None = None,
) -> Case:
    """Say how it is solved; the customer accepts or rejects. It counts as an answer to the customer.

    Raises: NotAllowed, CaseClosed, CaseChanged, ReasonNeeded without text, IllegalMove before work began."""
    require(by, *_TRIAGE)
    resolution = words(resolution, "resolution")
    case = hold(case, by=by, permissions=_TRIAGE, expected_version=expected_version)
    check_move(case, CaseState.RESOLUTION_PROPOSED)
    case.resolution, case.cause, case.proposed_at = resolution, cause.strip(), now
    detail = move(case, CaseState.RESOLUTION_PROPOSED, now=now)
    targets.answered(case, now=now)
    event = record_event(
        case,
        EventKind.RESOLUTION_PROPOSED,
        by=by,
        now=now,
        body=resolution,
        detail={**detail, "cause": case.cause},
    )
    save(case, *_ENDED, now=now)
    settle_ladder(case, detail, now=now)
    tell_of_update(case, event, customer_side(case), by=by, now=now)
    return case


@transaction.atomic
def accept_resolution(*, case: Case, by: User, now: datetime, expected_version: int | None = None) -> Case:
    """The customer agrees: Closed. Of accepting and rejecting at the same instant, one wins.

    Raises: NotAllowed, CaseClosed, CaseChanged; IllegalMove when nothing is proposed."""
    case = _answer(case, by=by, expected_version=expected_version)
    return _end(case, EventKind.RESOLUTION_ACCEPTED, by=by, now=now)


@transaction.atomic
def reject_resolution(
    *, case: Case, reason: str, by: User, now: datetime, expected_version: int | None = None
) -> Case:
    """The customer does not agree: In progress again, and the next update counts from here.

    Raises: NotAllowed, CaseClosed, CaseChanged, ReasonNeeded; IllegalMove when nothing is proposed."""
    require(by, *_ANSWER)
    reason = words(reason)
    case = _answer(case, by=by, expected_version=expected_version)
    detail = move(case, CaseState.IN_PROGRESS, now=now)
    event = record_event(
        case, EventKind.RESOLUTION_REJECTED, by=by, now=now, detail={**detail, "reason": reason}
    )
    save(case, *COLUMNS, now=now)
    tell_of_update(case, event, our_side(case), by=by, now=now)
    return case


def _answer(case: Case, *, by: User, expected_version: int | None) -> Case:
    case = hold(case, by=by, permissions=_ANSWER, expected_version=expected_version)
    if case.state != CaseState.RESOLUTION_PROPOSED:
        raise IllegalMove(_("No resolution waits for your answer."))
    return case


@transaction.atomic
def request_closure(*, case: Case, by: User, now: datetime, expected_version: int | None = None) -> Case:
    """The customer wants the case closed, at any time. Whoever has it is told, and may close it.

    Raises: NotAllowed, CaseClosed, CaseChanged."""
    case = hold(case, by=by, permissions=_ANSWER, expected_version=expected_version)
    event = record_event(case, EventKind.CLOSURE_REQUESTED, by=by, now=now)
    save(case, now=now)
    tell_of_update(case, event, our_side(case), by=by, now=now)
    return case


@transaction.atomic
def close_case(
    *,
    case: Case,
    resolution: str,
    by: User,
    now: datetime,
    cause: str = "",
    expected_version: int | None = None,
) -> Case:
    """Close without an answer to a proposal: when the customer asked for it, or by a duty manager, saying why.

    Raises: NotAllowed for an engineer whom the customer has not asked, CaseClosed, CaseChanged, ReasonNeeded."""
    require(by, *_TRIAGE)
    resolution = words(resolution, "resolution")
    case = hold(case, by=by, permissions=_TRIAGE, expected_version=expected_version)
    if not by.can(Permission.ALERT_ACKNOWLEDGE) and not _closure_requested(case):
        raise NotAllowed(_("A case closes when the customer agrees: propose a resolution."))
    case.resolution, case.cause = resolution, cause.strip()
    return _end(case, EventKind.CLOSED, by=by, now=now)


def _closure_requested(case: Case) -> bool:
    """Whether the customer asked since the case was opened, or last reopened."""
    wanted = (EventKind.CLOSURE_REQUESTED, EventKind.REOPENED)
    last = (
        CaseEvent.objects.filter(case=case, kind__in=wanted).order_by("at", "pk").values_list("kind").last()
    )
    return last == (EventKind.CLOSURE_REQUESTED,)


def _end(case: Case, kind: EventKind, *, by: User, now: datetime) -> Case:
    detail = move(case, CaseState.CLOSED, now=now)
    case.closed_at = now
    # at the latest by now both sides agree that it works
    case.restored_at = case.restored_at or now
    body = case.resolution if kind == EventKind.CLOSED else ""
    event = record_event(case, kind, by=by, now=now, body=body, detail=detail)
    ladder.cancel_ladder(case, reason="closed", now=now)
    save(case, *_ENDED, now=now)
    tell_of_update(case, event, [*customer_side(case), *our_side(case)], by=by, now=now)
    return case


def reopen_case(
    *, case: Case, reason: str, by: User, now: datetime, expected_version: int | None = None
) -> Case:
    """Reopen within 14 days of closing: In progress, and the ladder starts anew (C22). Later: a new case.

    It is service again, so a contract must cover it at this moment (C25); a refusal keeps its record only.
    Raises: NotAllowed, CaseChanged, ReasonNeeded, IllegalMove, NotCovered."""
    require(by, *_ANSWER, *_TRIAGE)
    reason = words(reason)
    with transaction.atomic():
        case = hold(
            case,
            by=by,
            permissions=[*_ANSWER, *_TRIAGE],
            expected_version=expected_version,
            may_be_closed=True,
        )
        _check_reopening(case, now)
        decision, record = decide_and_record(
            organisation=case.organisation,
            software=case.software,
            release=case.release,
            site_country=case.site.country,
            purpose=Purpose.CASE,
            by=by,
            now=now,
        )
        if decision.granted:
            return _reopen(case, reason, by=by, now=now)
    raise NotCovered(decision, record)


def _check_reopening(case: Case, now: datetime) -> None:
    if case.closed_at is None:
        raise IllegalMove(_("This case is open."))
    if now >= case.closed_at + REOPEN_WITHIN:
        raise IllegalMove(_("It was closed more than 14 days ago. Open a new case and name this one in it."))


def _reopen(case: Case, reason: str, *, by: User, now: datetime) -> Case:
    detail = {"reason": reason, "closed_at": case.closed_at.isoformat() if case.closed_at else ""}
    case.closed_at = case.restored_at = case.proposed_at = None
    detail |= move(case, CaseState.IN_PROGRESS, now=now)
    event = record_event(case, EventKind.REOPENED, by=by, now=now, detail=detail)
    ladder.start_cycle(case, started_by=EventKind.REOPENED, now=now)
    targets.expect_update(case, now=now)
    save(case, "policy", *_ENDED, now=now)
    tell_of_update(case, event, [*customer_side(case), *our_side(case)], by=by, now=now)
    return case
