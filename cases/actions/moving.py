"""A case passes from one state to another, and what that does to its clocks (C68)."""

from datetime import datetime

from cases import ladder, targets
from cases.models import Case
from cases.workflow import CaseState
from entitlements.kinds import HIGH

COLUMNS = ("state", "pending_since", "pending_reason", *targets.COLUMNS)


def move(case: Case, to: CaseState, *, now: datetime, reason: str = "") -> dict[str, str]:
    """Change the state of a held case and its targets; what the entry's detail says about it.

    The action then writes the entry, saves COLUMNS, and calls `settle_ladder`."""
    before = CaseState(case.state)
    case.state = to
    if before == CaseState.CUSTOMER_PENDING and case.pending_since is not None:
        since, case.pending_since, case.pending_reason = case.pending_since, None, ""
        targets.resume(case, since=since, now=now)
    if before == CaseState.RESOLUTION_PROPOSED and to != CaseState.CLOSED:
        targets.expect_update(case, now=now)
    if to == CaseState.CUSTOMER_PENDING:
        case.pending_since, case.pending_reason = now, reason
    targets.refresh(case)
    return {"from": before.value, "to": to.value}


def settle_ladder(case: Case, detail: dict[str, str], *, now: datetime) -> None:
    """Rungs in business hours stand still while the customer is waited for; those of P1 and P2 never do (C22).

    Call it when the entry is written: the pauses are read from the timeline."""
    if CaseState.CUSTOMER_PENDING in (detail.get("from"), detail.get("to")) and case.priority not in HIGH:
        ladder.replan_ladder(case, now=now)
