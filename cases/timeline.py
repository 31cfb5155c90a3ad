"""The append-only story of a case: the one way to write an entry, and what can be read out of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from accounts.models import User
from cases.models import Case, CaseEvent, CaseEventQuerySet
from cases.workflow import CaseState, EventKind
from entitlements.clock import Pause


def record_event(
    case: Case,
    kind: EventKind,
    *,
    by: User | None,
    now: datetime,
    body: str = "",
    detail: Mapping[str, Any] | None = None,
    is_internal: bool = False,
) -> CaseEvent:
    """Write an entry at `now` (UTC), in the transaction of the change it tells of. `by=None`: the portal itself.

    A change of state stands in `detail` as `from` and `to`, whatever kind of entry it came with."""
    event = CaseEvent(
        case=case,
        kind=kind,
        at=now,
        by=by.acting if by else None,
        body=body,
        detail=dict(detail or {}),
        is_internal=is_internal,
    )
    event.save(force_insert=True)
    return event


def timeline(case: Case, user: User) -> CaseEventQuerySet:
    """The entries of a case that the person may read, in order, with writers and files (C28)."""
    return CaseEvent.objects.visible_to(user).filter(case=case).on_timeline()


def pauses_of(case: Case) -> list[Pause]:
    """When the customer was waited for, oldest first; the last one is open while it lasts (C68)."""
    pending = CaseState.CUSTOMER_PENDING.value
    moves = (
        CaseEvent.objects.filter(case=case)
        .filter(Q(detail__to=pending) | Q(detail__from=pending))
        .order_by("at", "pk")
        .values_list("at", "detail")
    )
    pauses: list[Pause] = []
    for at, detail in moves:
        if detail.get("to") == pending:
            pauses.append((at, None))
        elif pauses and pauses[-1][1] is None:
            pauses[-1] = (pauses[-1][0], at)
    return pauses
