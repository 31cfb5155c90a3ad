"""The escalation ladder as arithmetic (C22): which level is alerted when. No clock is read here, and no row.

Instants are UTC. A *cycle* is one run of the ladder: opening, each raise, each reopening, and each withdrawn
or denied restoration start one, and its hours count from its start."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from entitlements.clock import ROUND_THE_CLOCK, ClockStopped, Hours, Pause, add_business
from entitlements.kinds import HIGH, Clock

RAISE_BACK: Final = timedelta(hours=24)
"""Raised back within this time of the lowering, a case keeps the start it had."""


@dataclass(frozen=True, slots=True)
class RungRule:
    """Policy: the level is alerted `after_minutes` on `clock` after the start of a cycle."""

    level: int
    after_minutes: int
    clock: str
    acknowledge_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class AckWait:
    """Policy: unacknowledged for `minutes`, an alert of this priority climbs to the next level."""

    priority: str
    minutes: int


@dataclass(frozen=True, slots=True)
class PlannedRung:
    """A level that is to be alerted at `due_at` (UTC); None while the clock stands still and nobody knows."""

    level: int
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class FiredRung:
    """A level that was alerted in this cycle, by its hour or by the early climb."""

    level: int
    fired_at: datetime


@dataclass(frozen=True, slots=True)
class Lowering:
    """The priority was lowered in this cycle: when, and from which."""

    at: datetime
    from_priority: str


def plan(
    rules: Sequence[RungRule],
    *,
    priority: str,
    cycle_start: datetime,
    hours: Hours,
    pauses: Sequence[Pause] = (),
) -> list[PlannedRung]:
    """The rungs of a cycle that starts at `cycle_start`, lowest level first (C22).

    `hours` is the clock of the customer's site, `pauses` are the times in which the customer was waited for:
    they hold back rungs in business hours only, and never those of P1 and P2 (C68)."""
    return [
        PlannedRung(rule.level, _due_at(rule, priority, cycle_start, hours, pauses))
        for rule in sorted(rules, key=lambda rule: rule.level)
    ]


def replan(
    rules: Sequence[RungRule],
    *,
    priority: str,
    cycle_start: datetime,
    hours: Hours,
    pauses: Sequence[Pause] = (),
    fired_levels: Collection[int] = (),
    now: datetime,
) -> list[PlannedRung]:
    """What a cycle still has ahead after a lowering, a raise, or a change of a pause or a calendar (C22).

    Pending rungs become those of `rules`, counted from the cycle's start; one whose time is past is due now.
    Levels that have fired in this cycle do not fire again. Pending levels missing from the answer are
    superseded."""
    return [
        PlannedRung(rung.level, max(rung.due_at, now.astimezone(UTC)) if rung.due_at else None)
        for rung in plan(rules, priority=priority, cycle_start=cycle_start, hours=hours, pauses=pauses)
        if rung.level not in fired_levels
    ]


def raised_cycle_start(
    *, to_priority: str, now: datetime, cycle_start: datetime, lowerings: Sequence[Lowering] = ()
) -> datetime:
    """From when the hours of the cycle that a raise starts are counted (C22).

    That is `now`; or the start of the running cycle (`cycle_start`), if the raise takes back, in whole or in
    part, a lowering of the last 24 hours in it. Either way the raise starts a new cycle: plan it from here by
    `replan` with no level fired, so that every at-once rung of the new priority fires in it, and every rung
    whose hour has passed."""
    takes_back = any(
        now - lowering.at <= RAISE_BACK and lowering.from_priority <= to_priority for lowering in lowerings
    )
    return (cycle_start if takes_back else now).astimezone(UTC)


def next_climb_due(
    fired: Sequence[FiredRung],
    acknowledged_levels: Collection[int],
    wait_minutes: int | Mapping[int, int | None] | None,
    levels: Collection[int],
) -> tuple[int, datetime] | None:
    """The next level to be alerted ahead of its hour and when (UTC), or None if the early climb is over.

    Each alerted level has its own wait, counted from when it was alerted; then the next of the ladder's
    `levels` is alerted. One acknowledgement at any level ends the climb for the cycle; timed rungs go on.
    `wait_minutes` is one wait, or one for each level, or None for a priority without early climb."""
    if acknowledged_levels:
        return None
    alerted = {rung.level for rung in fired}
    climbs = []
    for rung in fired:
        wait = wait_minutes.get(rung.level) if isinstance(wait_minutes, Mapping) else wait_minutes
        above = min((level for level in levels if level > rung.level), default=None)
        if wait is not None and above is not None and above not in alerted:
            climbs.append((rung.fired_at.astimezone(UTC) + timedelta(minutes=wait), above))
    if not climbs:
        return None
    due_at, level = min(climbs)
    return level, due_at


def awaiting_acknowledgement(
    fired: Sequence[FiredRung], acknowledged_levels: Collection[int]
) -> frozenset[int]:
    """The alerted levels still to be acknowledged: an acknowledgement covers its level and those below."""
    covered = max(acknowledged_levels, default=0)
    return frozenset(rung.level for rung in fired if rung.level > covered)


def _due_at(
    rule: RungRule, priority: str, start: datetime, hours: Hours, pauses: Sequence[Pause]
) -> datetime | None:
    if rule.clock == Clock.ALWAYS:
        return add_business(start, rule.after_minutes, ROUND_THE_CLOCK)
    try:
        return add_business(start, rule.after_minutes, hours, () if priority in HIGH else pauses)
    except ClockStopped:
        return None
