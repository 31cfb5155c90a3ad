"""The business clock against a count of minutes, one by one, by the clocks on the wall."""

import os
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entitlements.clock import (
    ROUND_THE_CLOCK,
    ClockStopped,
    Pause,
    PublicHolidays,
    RoundTheClock,
    WorkingHours,
    add_business,
    add_business_days,
    business_minutes_between,
    business_time_between,
    is_working_time,
    public_holidays,
    working_periods,
)

PAIRS: Final = 10_000 if os.environ.get("PORTAL_DEEP") else 400
MINUTE: Final = timedelta(minutes=1)

# clocks forward, clocks back, leap day, year end, and what is odd about a zone
FORWARD_AND_BACK: Final = {
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "America/Santiago": (date(2026, 9, 6), date(2026, 4, 5)),  # forward at midnight
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "Africa/Cairo": (date(2026, 4, 24), date(2026, 10, 30)),  # at midnight, on working days
    "Asia/Beirut": (date(2026, 3, 29), date(2026, 10, 25)),  # at midnight
    "Australia/Sydney": (date(2026, 10, 4), date(2026, 4, 5)),
    "Australia/Lord_Howe": (date(2026, 10, 4), date(2026, 4, 5)),  # by 30 minutes
    "America/St_Johns": (date(2006, 4, 2), date(2006, 10, 29)),  # at one minute past midnight
    "Pacific/Apia": (date(2011, 9, 24), date(2011, 12, 30)),  # a whole day is skipped
    "Asia/Seoul": (),
    "Asia/Kathmandu": (),  # +05:45
}
EVERYWHERE: Final = (date(2024, 2, 29), date(2025, 12, 31))
WINDOWS: Final = [(zone, day) for zone, days in FORWARD_AND_BACK.items() for day in (*days, *EVERYWHERE)]
SHIFTS: Final = (
    (frozenset(range(5)), time(9), time(17)),
    # begin and end where clocks change, in gaps and in hours that come twice
    (frozenset(range(7)), time(0, 30), time(2, 15)),
    (frozenset(range(7)), time(1, 30), time(2, 20)),
    (frozenset({0, 4, 5, 6}), time(0), time(0)),
)
WINDOW_MINUTES: Final = 12 * 24 * 60

windows = st.sampled_from(WINDOWS)
shifts = st.sampled_from(SHIFTS)
offsets = st.integers(0, WINDOW_MINUTES)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def office(zone: str, *holidays: date) -> WorkingHours:
    return WorkingHours(ZoneInfo(zone), holidays=frozenset(holidays))


def day_off(middle: date) -> date:
    return middle + timedelta(days=2)


@cache
def wall_clock(zone: str, middle: date) -> tuple[datetime, list[datetime]]:
    """The first minute of a window, and what the clocks show in each; set back, they count as standing still."""
    first = datetime.combine(middle, time(12), tzinfo=UTC) - WINDOW_MINUTES // 2 * MINUTE
    info = ZoneInfo(zone)
    lead = 2 * 24 * 60  # clocks that were set back before the window opens
    shown = [
        (first + minute * MINUTE).astimezone(info).replace(tzinfo=None)
        for minute in range(-lead, WINDOW_MINUTES)
    ]
    return first, list(accumulate(shown, max))[lead:]


@cache
def counted(zone: str, middle: date, shift: int) -> list[int]:
    """How many minutes of the window count before each of its minutes."""
    weekdays, start, end = SHIFTS[shift]
    closing = end if end > time.min else time.max
    _, shown = wall_clock(zone, middle)
    return [
        0,
        *accumulate(
            wall.weekday() in weekdays and start <= wall.time() < closing and wall.date() != day_off(middle)
            for wall in shown
        ),
    ]


def hours_of(zone: str, middle: date, shift: int) -> WorkingHours:
    weekdays, start, end = SHIFTS[shift]
    return WorkingHours(ZoneInfo(zone), weekdays, start, end, holidays=frozenset({day_off(middle)}))


def check_minutes_between(window: tuple[str, date], shift: int, one: int, other: int) -> None:
    first, before = wall_clock(*window)[0], counted(*window, shift)
    a, b = min(one, other), max(one, other)
    hours = hours_of(*window, shift)
    assert business_minutes_between(first + a * MINUTE, first + b * MINUTE, hours) == before[b] - before[a]


PAIR = (windows, st.integers(0, len(SHIFTS) - 1), offsets, offsets)


@settings(max_examples=PAIRS, deadline=None)
@given(*PAIR)
def test_minutes_between_equal_a_count_of_every_minute(
    window: tuple[str, date], shift: int, one: int, other: int
) -> None:
    check_minutes_between(window, shift, one, other)


@pytest.mark.deep("business clock equals a brute-force count on 10,000 pairs")
@settings(max_examples=10_000, deadline=None)
@given(*PAIR)
def test_minutes_between_equal_a_count_on_ten_thousand_pairs(
    window: tuple[str, date], shift: int, one: int, other: int
) -> None:
    check_minutes_between(window, shift, one, other)


@settings(max_examples=PAIRS, deadline=None)
@given(windows, st.integers(0, len(SHIFTS) - 1), offsets, st.integers(1, 3000))
def test_added_minutes_run_out_in_the_minute_that_a_count_says(
    window: tuple[str, date], shift: int, offset: int, minutes: int
) -> None:
    first, before = wall_clock(*window)[0], counted(*window, shift)
    start, due = first + offset * MINUTE, bisect_left(before, before[offset] + minutes)
    answer = add_business(start, minutes, hours_of(*window, shift))
    if due <= WINDOW_MINUTES:
        assert answer == first + due * MINUTE
    else:
        assert answer > first + WINDOW_MINUTES * MINUTE
    assert answer.tzinfo is UTC


@settings(max_examples=PAIRS // 3, deadline=None)
@given(
    windows,
    st.integers(0, len(SHIFTS) - 1),
    offsets,
    st.integers(1, 2000),
    st.lists(st.tuples(offsets, st.integers(0, 4000)), max_size=4),
)
def test_pauses_are_left_out_minute_by_minute(
    window: tuple[str, date], shift: int, offset: int, minutes: int, cuts: list[tuple[int, int]]
) -> None:
    first, before = wall_clock(*window)[0], counted(*window, shift)
    paused = {minute for begin, length in cuts for minute in range(begin, begin + length)}
    left = [
        minute
        for minute in range(offset, WINDOW_MINUTES)
        if before[minute + 1] > before[minute] and minute not in paused
    ]
    pauses = [(first + begin * MINUTE, first + (begin + length) * MINUTE) for begin, length in cuts]
    start, hours = first + offset * MINUTE, hours_of(*window, shift)
    assert business_minutes_between(start, first + WINDOW_MINUTES * MINUTE, hours, pauses) == len(left)
    if len(left) >= minutes:
        assert add_business(start, minutes, hours, pauses) == first + (left[minutes - 1] + 1) * MINUTE


@given(st.integers(0, 10**9), st.integers(0, 100_000))
def test_round_the_clock_every_minute_counts(second: int, minutes: int) -> None:
    start = datetime.fromtimestamp(second, UTC)
    assert add_business(start, minutes, ROUND_THE_CLOCK) == start + minutes * MINUTE
    assert business_minutes_between(start, start + minutes * MINUTE, ROUND_THE_CLOCK) == minutes


@settings(max_examples=PAIRS, deadline=None)
@given(windows, st.integers(0, len(SHIFTS) - 1), offsets, st.integers(0, 59_999_999), st.integers(1, 5000))
def test_an_instant_is_due_when_its_minutes_have_passed_and_not_a_moment_before(
    window: tuple[str, date], shift: int, offset: int, microseconds: int, minutes: int
) -> None:
    start = wall_clock(*window)[0] + offset * MINUTE + timedelta(microseconds=microseconds)
    hours = hours_of(*window, shift)
    due = add_business(start, minutes, hours)
    assert business_time_between(start, due, hours) == minutes * MINUTE
    assert business_time_between(start, due - timedelta(microseconds=1), hours) < minutes * MINUTE


@pytest.mark.parametrize(
    ("zone", "start", "minutes", "due"),
    [
        # Friday 16:00 in Seoul: an hour is left
        ("Asia/Seoul", "2026-03-06T07:00", 60, "2026-03-06T08:00"),
        ("Asia/Seoul", "2026-03-06T07:00", 61, "2026-03-09T00:01"),
        # the night before, and the weekend
        ("Asia/Seoul", "2026-03-05T15:00", 1, "2026-03-06T00:01"),
        ("Asia/Seoul", "2026-03-07T03:00", 480, "2026-03-09T08:00"),
        # opening time belongs to the day, closing time does not
        ("Asia/Seoul", "2026-03-06T00:00", 480, "2026-03-06T08:00"),
        ("Asia/Seoul", "2026-03-06T08:00", 1, "2026-03-09T00:01"),
        # clocks in New York go forward on 8 March, back on 1 November
        ("America/New_York", "2026-03-06T21:00", 120, "2026-03-09T14:00"),
        ("America/New_York", "2026-10-30T20:00", 120, "2026-11-02T15:00"),
        # 09:00 in Kathmandu is 03:15
        ("Asia/Kathmandu", "2026-03-05T20:00", 15, "2026-03-06T03:30"),
        # over the leap day and the end of a year
        ("Europe/Berlin", "2024-02-28T15:30", 60, "2024-02-29T08:30"),
        ("Europe/Berlin", "2024-02-29T15:30", 60, "2024-03-01T08:30"),
        ("Europe/Berlin", "2025-12-31T15:30", 60, "2026-01-01T08:30"),
    ],
)
def test_working_time_is_counted_at_the_site(zone: str, start: str, minutes: int, due: str) -> None:
    assert add_business(utc(start), minutes, office(zone)) == utc(due)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-03-03T06:30", 1, "2026-03-04T06:30"),  # Tuesday 15:30
        ("2026-03-06T06:30", 1, "2026-03-09T06:30"),  # Friday 15:30
        ("2026-03-07T06:30", 1, "2026-03-09T08:00"),  # Saturday
        ("2026-03-04T06:30", 3, "2026-03-09T06:30"),
        ("2026-03-04T06:30", 5, "2026-03-11T06:30"),
        ("2026-03-04T06:30", 0, "2026-03-04T06:30"),
    ],
)
def test_a_business_day_is_as_many_minutes_as_a_working_day_has(start: str, days: int, due: str) -> None:
    assert add_business_days(utc(start), days, office("Asia/Seoul")) == utc(due)


def test_a_day_off_is_left_out() -> None:
    hours = office("Asia/Seoul", date(2026, 3, 6))
    assert add_business(utc("2026-03-05T07:00"), 120, hours) == utc("2026-03-09T01:00")
    assert not is_working_time(utc("2026-03-06T03:00"), hours)
    assert is_working_time(utc("2026-03-06T03:00"), office("Asia/Seoul"))


@pytest.mark.clause("C68")
def test_time_in_which_the_customer_is_waited_for_does_not_count() -> None:
    hours = office("Asia/Seoul")
    pauses: Sequence[Pause] = [(utc("2026-03-05T01:00"), utc("2026-03-05T03:00"))]
    assert add_business(utc("2026-03-05T00:00"), 120, hours, pauses) == utc("2026-03-05T04:00")
    # the same time twice is left out once, and an empty pause is none
    twice = [*pauses, (utc("2026-03-05T02:00"), utc("2026-03-05T03:30")), (utc("2026-03-05T04:00"),) * 2]
    assert add_business(utc("2026-03-05T00:00"), 120, hours, twice) == utc("2026-03-05T04:30")
    assert business_minutes_between(utc("2026-03-05T00:00"), utc("2026-03-05T08:00"), hours, twice) == 330


@pytest.mark.clause("C68")
def test_a_pause_without_an_end_stops_the_clock_and_not_what_was_due_before_it() -> None:
    hours, start = office("Asia/Seoul"), utc("2026-03-05T00:00")
    waiting: Sequence[Pause] = [(utc("2026-03-05T01:00"), None)]
    assert add_business(start, 60, hours, waiting) == utc("2026-03-05T01:00")
    assert add_business(start, 0, hours, waiting) == start
    assert business_minutes_between(start, utc("2027-03-05T00:00"), hours, waiting) == 60
    for clock in (hours, ROUND_THE_CLOCK):
        with pytest.raises(ClockStopped):
            add_business(start, 61, clock, waiting)


def test_a_pause_that_began_before_the_start_stops_the_clock_at_once() -> None:
    with pytest.raises(ClockStopped):
        add_business(utc("2026-03-05T00:00"), 1, office("Asia/Seoul"), [(utc("2026-01-01T00:00"), None)])


def test_a_calendar_that_never_opens_is_an_error_and_not_an_endless_search() -> None:
    shut = WorkingHours(ZoneInfo("Asia/Seoul"), holidays=lambda day: True)
    with pytest.raises(ClockStopped):
        add_business(utc("2026-03-05T00:00"), 1, shut)
    assert business_minutes_between(utc("2026-03-05T00:00"), utc("2027-03-05T00:00"), shut) == 0


def test_working_periods_are_cut_to_what_was_asked() -> None:
    periods = list(working_periods(utc("2026-03-06T07:00"), utc("2026-03-09T01:30"), office("Asia/Seoul")))
    assert periods == [
        (utc("2026-03-06T07:00"), utc("2026-03-06T08:00")),
        (utc("2026-03-09T00:00"), utc("2026-03-09T01:30")),
    ]
    assert list(working_periods(utc("2026-03-09T01:30"), utc("2026-03-06T07:00"), office("Asia/Seoul"))) == []


def test_a_day_that_clocks_leave_again_for_the_day_before_has_begun_all_the_same() -> None:
    # St John's, 29 October 2006: at 00:01 clocks went back to 23:01 of the 28th
    sunday = WorkingHours(ZoneInfo("America/St_Johns"), frozenset({6}), time(0), time(0))
    assert business_minutes_between(utc("2006-10-29T02:00"), utc("2006-10-29T03:00"), sunday) == 30
    assert add_business(utc("2006-10-29T02:40"), 10, sunday) == utc("2006-10-29T02:50")


def test_no_minutes_lie_between_an_instant_and_an_earlier_one() -> None:
    assert (
        business_minutes_between(utc("2026-03-09T02:00"), utc("2026-03-09T01:00"), office("Asia/Seoul")) == 0
    )


def test_instants_in_any_zone_are_the_same_instants() -> None:
    local = datetime(2026, 3, 6, 16, tzinfo=ZoneInfo("Asia/Seoul"))
    assert add_business(local, 61, office("Asia/Seoul")) == utc("2026-03-09T00:01")


def test_an_instant_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 3, 6, 16)  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        add_business(naive, 61, office("Asia/Seoul"))
    with pytest.raises(ValueError, match="time zone"):
        business_minutes_between(utc("2026-03-06T07:00"), naive, office("Asia/Seoul"))


def test_a_negative_amount_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        add_business(utc("2026-03-06T07:00"), -1, office("Asia/Seoul"))


@pytest.mark.parametrize(
    ("weekdays", "start", "end"),
    [
        (frozenset(), time(9), time(17)),
        (frozenset({7}), time(9), time(17)),
        (frozenset({0}), time(17), time(9)),
    ],
)
def test_hours_that_make_no_sense_are_refused(weekdays: frozenset[int], start: time, end: time) -> None:
    with pytest.raises(ValueError, match="working hours"):
        WorkingHours(ZoneInfo("Asia/Seoul"), weekdays, start, end)


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [(time(9), time(17), 480), (time(8, 30), time(0), 930), (time(0), time(0), 1440)],
)
def test_a_working_day_has_its_hours(start: time, end: time, minutes: int) -> None:
    assert WorkingHours(ZoneInfo("Asia/Seoul"), start=start, end=end).minutes_per_day == minutes


def test_a_day_round_the_clock_has_24_hours() -> None:
    assert add_business_days(utc("2026-03-07T06:30"), 2, RoundTheClock()) == utc("2026-03-09T06:30")


@pytest.mark.parametrize(
    ("country", "subdivision", "day", "is_off"),
    [
        ("KR", None, date(2026, 3, 1), True),  # Independence Movement Day, a Sunday
        ("KR", None, date(2026, 3, 2), True),  # its substitute
        ("KR", None, date(2026, 3, 3), False),
        ("kr", None, date(2026, 10, 9), True),
        ("DE", None, date(2026, 11, 1), False),
        ("DE", "BY", date(2026, 11, 1), True),
        ("DE", "nowhere", date(2026, 10, 3), True),
        ("US", None, date(2021, 12, 31), True),  # New Year's Day of 2022 was a Saturday
        ("ZZ", None, date(2026, 12, 25), False),
        ("", None, date(2026, 12, 25), False),
    ],
)
def test_public_holidays_are_those_of_the_country_and_its_part(
    country: str, subdivision: str | None, day: date, is_off: bool
) -> None:
    assert (day in public_holidays(country, day.year, subdivision)) is is_off
    assert PublicHolidays(country, subdivision)(day) is is_off


def test_days_off_can_be_added_and_removed() -> None:
    calendar = PublicHolidays(
        "KR", added=frozenset({date(2026, 3, 3)}), removed=frozenset({date(2026, 3, 2)})
    )
    assert [calendar(date(2026, 3, day)) for day in (1, 2, 3, 4)] == [True, False, True, False]
    hours = WorkingHours(ZoneInfo("Asia/Seoul"), holidays=calendar)
    assert add_business(utc("2026-03-02T07:00"), 120, hours) == utc("2026-03-04T01:00")
