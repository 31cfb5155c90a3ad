"""The escalation ladder: who is alerted when, to the minute."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.escalation import (
    AckWait,
    FiredRung,
    Lowering,
    PlannedRung,
    RungRule,
    awaiting_acknowledgement,
    next_climb_due,
    plan,
    raised_cycle_start,
    replan,
)
from entitlements.clock import Pause, WorkingHours
from entitlements.defaults import DEFAULT_ACK_WAITS, DEFAULT_RUNGS

HOURS: Final = WorkingHours(ZoneInfo("Asia/Seoul"), holidays=frozenset({date(2026, 3, 2)}))
START: Final = datetime(
    2026, 3, 5, 22, 7, tzinfo=UTC
)  # Friday 07:07 in Seoul, two hours before the office opens
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LADDERS: Final = {
    priority: [RungRule(level, after, clock) for of, level, after, clock in DEFAULT_RUNGS if of == priority]
    for priority in ("P1", "P2", "P3", "P4")
}
WAITS: Final = {priority: AckWait(priority, minutes) for priority, minutes in DEFAULT_ACK_WAITS}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ladder(priority: str, start: datetime = START, pauses: Sequence[Pause] = ()) -> list[PlannedRung]:
    return plan(LADDERS[priority], priority=priority, cycle_start=start, hours=HOURS, pauses=pauses)


def due(rungs: Sequence[PlannedRung]) -> dict[int, datetime | None]:
    return {rung.level: rung.due_at for rung in rungs}


def story(
    priority: str, acknowledged: tuple[int, datetime] | None, until: datetime
) -> list[tuple[int, datetime]]:
    """Everybody who is alerted, minute by minute, when level and time of the one acknowledgement are given."""
    pending = {rung.level: rung.due_at for rung in ladder(priority)}
    wait = WAITS[priority].minutes if priority in WAITS else None
    levels = tuple(pending)
    fired: list[FiredRung] = []
    now = START
    while now <= until:
        taken = {acknowledged[0]} if acknowledged and acknowledged[1] <= now else set()
        climb = next_climb_due(fired, taken, wait, levels)
        for level, due_at in list(pending.items()):
            early = climb is not None and climb[0] == level and climb[1] <= now
            if early or (due_at is not None and due_at <= now):
                fired.append(FiredRung(level, now))
                del pending[level]
        now += MINUTE
    return [(rung.level, rung.fired_at) for rung in fired]


@pytest.mark.parametrize(
    ("priority", "acknowledged", "alerts"),
    [
        # taken by the duty manager after five minutes: the timed rungs go on until service is restored
        (
            "P1",
            (1, "2026-03-05T22:12"),
            [
                (1, "2026-03-05T22:07"),
                (2, "2026-03-05T23:07"),
                (3, "2026-03-06T02:07"),
                (4, "2026-03-06T22:07"),
            ],
        ),
        # taken by nobody: a level every quarter of an hour, and no level twice
        (
            "P1",
            None,
            [
                (1, "2026-03-05T22:07"),
                (2, "2026-03-05T22:22"),
                (3, "2026-03-05T22:37"),
                (4, "2026-03-05T22:52"),
            ],
        ),
        # taken by the director, who was alerted early
        (
            "P1",
            (2, "2026-03-05T22:30"),
            [
                (1, "2026-03-05T22:07"),
                (2, "2026-03-05T22:22"),
                (3, "2026-03-06T02:07"),
                (4, "2026-03-06T22:07"),
            ],
        ),
        # taken in the very minute in which it would have climbed
        (
            "P1",
            (1, "2026-03-05T22:22"),
            [
                (1, "2026-03-05T22:07"),
                (2, "2026-03-05T23:07"),
                (3, "2026-03-06T02:07"),
                (4, "2026-03-06T22:07"),
            ],
        ),
        (
            "P2",
            (1, "2026-03-05T22:36"),
            [
                (1, "2026-03-05T22:07"),
                (2, "2026-03-06T02:07"),
                (3, "2026-03-06T22:07"),
                (4, "2026-03-07T22:07"),
            ],
        ),
        (
            "P2",
            None,
            [
                (1, "2026-03-05T22:07"),
                (2, "2026-03-05T22:37"),
                (3, "2026-03-05T23:07"),
                (4, "2026-03-05T23:37"),
            ],
        ),
        ("P3", None, []),
        ("P4", None, []),
    ],
)
@pytest.mark.clause("C22")
def test_over_72_hours_each_level_is_alerted_in_its_minute(
    priority: str, acknowledged: tuple[int, str] | None, alerts: list[tuple[int, str]]
) -> None:
    taken = (acknowledged[0], utc(acknowledged[1])) if acknowledged else None
    assert story(priority, taken, START + 72 * HOUR) == [(level, utc(at)) for level, at in alerts]


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        # nine office days after Friday 09:00 are Wednesday of the week after next at closing time
        ("P3", {1: "2026-03-18T08:00", 2: "2026-03-23T08:00"}),
        ("P4", {1: "2026-03-23T08:00"}),
    ],
)
@pytest.mark.clause("C22")
def test_the_lower_priorities_count_working_hours(priority: str, expected: dict[int, str]) -> None:
    assert due(ladder(priority)) == {level: utc(at) for level, at in expected.items()}


def test_a_day_off_at_the_site_moves_rungs_in_business_hours() -> None:
    friday = utc("2026-02-27T00:00")
    with_holiday = due(ladder("P3", friday))
    without = plan(
        LADDERS["P3"], priority="P3", cycle_start=friday, hours=WorkingHours(ZoneInfo("Asia/Seoul"))
    )
    # 2 March is off: nine office days end on Thursday the 12th, else on Wednesday the 11th
    assert (with_holiday[1], due(without)[1]) == (utc("2026-03-12T08:00"), utc("2026-03-11T08:00"))


@pytest.mark.clause("C22", "C68")
def test_waiting_for_the_customer_holds_back_rungs_in_business_hours_only() -> None:
    day_of_waiting: Sequence[Pause] = [(utc("2026-03-06T00:00"), utc("2026-03-06T08:00"))]
    assert ladder("P1", pauses=day_of_waiting) == ladder("P1")
    assert ladder("P2", pauses=day_of_waiting) == ladder("P2")
    assert due(ladder("P3", pauses=day_of_waiting)) == {
        1: utc("2026-03-19T08:00"),
        2: utc("2026-03-24T08:00"),
    }
    assert due(ladder("P4", pauses=day_of_waiting)) == {1: utc("2026-03-24T08:00")}


def test_a_high_priority_is_never_paused_even_where_its_policy_says_business_hours() -> None:
    rules = [RungRule(1, 60, "business")]
    waiting: Sequence[Pause] = [(START, None)]
    for priority, expected in (
        ("P1", utc("2026-03-06T01:00")),
        ("P2", utc("2026-03-06T01:00")),
        ("P3", None),
    ):
        rungs = plan(rules, priority=priority, cycle_start=START, hours=HOURS, pauses=waiting)
        assert due(rungs) == {1: expected}


def test_a_rung_that_stands_still_has_no_time_until_the_customer_answers() -> None:
    pause_start, now = utc("2026-03-09T00:00"), utc("2026-03-10T00:00")
    assert due(ladder("P3", pauses=[(pause_start, None)])) == {1: None, 2: None}
    resumed = replan(
        LADDERS["P3"],
        priority="P3",
        cycle_start=START,
        hours=HOURS,
        pauses=[(pause_start, now)],
        now=now,
    )
    assert due(resumed) == {1: utc("2026-03-19T08:00"), 2: utc("2026-03-24T08:00")}


@pytest.mark.clause("C22")
def test_lowered_pending_rungs_are_those_of_the_lower_priority_from_the_start_of_the_cycle() -> None:
    now = START + 30 * MINUTE
    p2 = replan(LADDERS["P2"], priority="P2", cycle_start=START, hours=HOURS, fired_levels={1}, now=now)
    assert due(p2) == {2: START + 4 * HOUR, 3: START + 24 * HOUR, 4: START + 48 * HOUR}
    p3 = replan(LADDERS["P3"], priority="P3", cycle_start=START, hours=HOURS, fired_levels={1}, now=now)
    assert due(p3) == {2: utc("2026-03-23T08:00")}
    p4 = replan(LADDERS["P4"], priority="P4", cycle_start=START, hours=HOURS, fired_levels={1}, now=now)
    assert p4 == []


def test_after_a_lowering_a_rung_whose_time_is_past_fires_now() -> None:
    now = utc("2026-03-19T09:00")
    rungs = replan(LADDERS["P3"], priority="P3", cycle_start=START, hours=HOURS, now=now)
    assert due(rungs) == {1: now, 2: utc("2026-03-23T08:00")}


@pytest.mark.clause("C22")
def test_a_raise_starts_a_cycle_at_its_moment_with_every_at_once_rung() -> None:
    now = START + 50 * HOUR
    start = raised_cycle_start(to_priority="P1", now=now, cycle_start=START)
    rungs = replan(LADDERS["P1"], priority="P1", cycle_start=start, hours=HOURS, now=now)
    assert due(rungs) == {1: now, 2: now + HOUR, 3: now + 4 * HOUR, 4: now + 24 * HOUR}


@pytest.mark.parametrize(
    ("lowered_ago", "lowered_from", "raised_to", "keeps"),
    [
        (timedelta(0), "P1", "P1", True),
        (24 * HOUR - MINUTE, "P1", "P1", True),
        (24 * HOUR, "P1", "P1", True),
        (24 * HOUR + MINUTE, "P1", "P1", False),
        (HOUR, "P1", "P2", True),  # back half the way
        (HOUR, "P2", "P1", False),  # higher than it ever was
        (HOUR, "P3", "P3", True),
    ],
)
@pytest.mark.clause("C22")
def test_raised_back_within_24_hours_a_case_keeps_its_start(
    lowered_ago: timedelta, lowered_from: str, raised_to: str, keeps: bool
) -> None:
    now = START + 48 * HOUR
    lowerings = [Lowering(now - lowered_ago, lowered_from)]
    start = raised_cycle_start(to_priority=raised_to, now=now, cycle_start=START, lowerings=lowerings)
    assert start == (START if keeps else now)


def test_lowered_twice_a_case_may_still_be_raised_back_to_where_it_was() -> None:
    now = START + 3 * HOUR
    lowerings = [Lowering(START + HOUR, "P1"), Lowering(START + 2 * HOUR, "P2")]
    start = raised_cycle_start(to_priority="P1", now=now, cycle_start=START, lowerings=lowerings)
    rungs = replan(LADDERS["P1"], priority="P1", cycle_start=start, hours=HOURS, now=now)
    # level 2 was due after an hour at that priority, and is alerted with level 1
    assert due(rungs) == {1: now, 2: now, 3: START + 4 * HOUR, 4: START + 24 * HOUR}


@pytest.mark.clause("C22")
def test_each_level_has_its_own_wait_from_when_it_was_alerted() -> None:
    first, second = FiredRung(1, START), FiredRung(2, START + 20 * MINUTE)
    assert next_climb_due([first], (), 15, (1, 2, 3, 4)) == (2, START + 15 * MINUTE)
    assert next_climb_due([first, second], (), 15, (1, 2, 3, 4)) == (3, START + 35 * MINUTE)
    assert next_climb_due([second, first], (), {1: 15, 2: 5}, (1, 2, 3, 4)) == (3, START + 25 * MINUTE)


@pytest.mark.parametrize("taken", [{1}, {2}, {3}, {1, 3}])
@pytest.mark.clause("C22")
def test_an_acknowledgement_at_any_level_ends_the_climb(taken: set[int]) -> None:
    fired = [FiredRung(level, START) for level in (1, 2, 3)]
    assert next_climb_due(fired, taken, 15, (1, 2, 3, 4)) is None


def test_nothing_climbs_before_the_first_alert_above_the_top_or_without_a_wait() -> None:
    top = [FiredRung(level, START) for level in (1, 2, 3, 4)]
    assert next_climb_due([], (), 15, (1, 2, 3, 4)) is None
    assert next_climb_due(top, (), 15, (1, 2, 3, 4)) is None
    assert next_climb_due(top[:1], (), None, (1, 2)) is None
    assert next_climb_due(top[:1], (), {2: 15}, (1, 2)) is None


def test_a_level_that_the_ladder_lacks_is_stepped_over() -> None:
    assert next_climb_due([FiredRung(1, START)], (), 15, (1, 3)) == (3, START + 15 * MINUTE)


@pytest.mark.clause("C22")
def test_an_acknowledgement_covers_its_level_and_those_below() -> None:
    fired = [FiredRung(level, START) for level in (1, 2, 3)]
    assert awaiting_acknowledgement(fired, ()) == {1, 2, 3}
    assert awaiting_acknowledgement(fired, {2}) == {3}
    assert awaiting_acknowledgement(fired, {3, 1}) == frozenset()


moments = st.integers(0, 60 * 24 * 400).map(lambda minute: START + minute * MINUTE)


@given(moments, st.sampled_from(["P1", "P2", "P3", "P4"]), st.sets(st.integers(1, 4)), moments)
def test_a_new_plan_is_never_due_in_the_past_and_never_repeats_a_level(
    start: datetime, priority: str, fired: set[int], now: datetime
) -> None:
    rungs = replan(
        LADDERS[priority], priority=priority, cycle_start=start, hours=HOURS, fired_levels=fired, now=now
    )
    original = due(ladder(priority, start))
    assert [rung.level for rung in rungs] == sorted(set(original) - fired)
    for rung in rungs:
        planned = original[rung.level]
        assert planned is not None
        assert rung.due_at == max(planned, now)
