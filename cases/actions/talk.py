"""Words on a case: replies between the customer and JTAC, and internal notes."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.roles import Permission
from cases import targets
from cases.actions.change import Uploads, attach, hold, require, save, take_in, words
from cases.actions.moving import COLUMNS, move, settle_ladder
from cases.models import Case, CaseEvent
from cases.notices import tell_of_reply
from cases.timeline import record_event
from cases.workflow import CaseState, EventKind


@transaction.atomic
def reply(
    *,
    case: Case,
    body: str,
    by: User,
    now: datetime,
    uploads: Uploads = (),
    expected_version: int | None = None,
) -> CaseEvent:
    """Write to the other side (C28, C29). The other side gets a notice.

    From JTAC it is the first response, once, and starts the wait for the next update. From the customer it ends
    a wait for the customer by itself: In progress again, with what was left of the targets (C68).

    Raises: NotAllowed, CaseClosed, CaseChanged, ReasonNeeded without words or files, FileRefused."""
    require(by, Permission.CASE_REPLY)
    # files may speak for themselves
    body = body.strip() if uploads else words(body, "body")
    stored = take_in(uploads, by=by, now=now)
    case = hold(case, by=by, permissions=[Permission.CASE_REPLY], expected_version=expected_version)
    detail: dict[str, str] = {}
    if by.can(Permission.CASE_VIEW_ALL):
        targets.answered(case, now=now)
    elif case.state == CaseState.CUSTOMER_PENDING:
        detail = move(case, CaseState.IN_PROGRESS, now=now)
    event = record_event(case, EventKind.REPLY, by=by, now=now, body=body, detail=detail)
    attach(case, event, stored)
    save(case, *COLUMNS, now=now)
    settle_ladder(case, detail, now=now)
    tell_of_reply(case, event, by=by, now=now)
    return event


@transaction.atomic
def add_note(
    *,
    case: Case,
    body: str,
    by: User,
    now: datetime,
    uploads: Uploads = (),
    expected_version: int | None = None,
) -> CaseEvent:
    """Write an internal note: for staff only, told to nobody, also on a closed case.

    Raises: NotAllowed, CaseChanged, ReasonNeeded without words, FileRefused."""
    require(by, Permission.CASE_TRIAGE)
    body, stored = words(body, "body"), take_in(uploads, by=by, now=now)
    case = hold(
        case,
        by=by,
        permissions=[Permission.CASE_TRIAGE],
        expected_version=expected_version,
        may_be_closed=True,
    )
    event = record_event(case, EventKind.NOTE, by=by, now=now, body=body, is_internal=True)
    attach(case, event, stored)
    save(case, now=now)
    return event
