"""When a target is due: first response and updates, on the clock that the policy names (C15, C24)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from entitlements.clock import ROUND_THE_CLOCK, Hours, Pause, WorkingHours, add_business
from entitlements.kinds import Clock, Priority
from entitlements.models import Policy, PolicyTarget

FIRST_RESPONSE: Final = "first_response"
UPDATE: Final = "update"


def due(
    policy: Policy,
    priority: Priority | str,
    which: str,
    start: datetime,
    hours: WorkingHours,
    *,
    pauses: Sequence[Pause] = (),
) -> datetime:
    """The instant (UTC) by which `which` (FIRST_RESPONSE or UPDATE) is due, counted from `start`.

    Pauses (customer pending, C68) do not count. A target, never a guarantee.

    Raises: ClockStopped while a pause has no end."""
    return due_of(policy.targets.get(priority=priority), which, start, hours, pauses=pauses)


def due_of(
    target: PolicyTarget,
    which: str,
    start: datetime,
    hours: WorkingHours,
    *,
    pauses: Sequence[Pause] = (),
) -> datetime:
    """As `due`, for a row at hand."""
    minutes, clock = {
        FIRST_RESPONSE: (target.first_response_minutes, target.first_response_clock),
        UPDATE: (target.update_minutes, target.update_clock),
    }[which]
    kind: Hours = ROUND_THE_CLOCK if clock == Clock.ALWAYS else hours
    return add_business(start, minutes, kind, pauses)
