"""Months, minimum terms, and the instants of a period of days."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.terms import add_months, first_instant, instants, is_full_term, last_covered_day, minimum_end

ZONES = [
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Seoul",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]
days = st.dates(date(1990, 1, 1), date(2037, 12, 31))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2025, 2, 28), 12, date(2026, 2, 28)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 1, 31), 3, date(2026, 4, 30)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 1, 15), -12, date(2025, 1, 15)),
        (date(2026, 7, 1), 0, date(2026, 7, 1)),
    ],
)
@pytest.mark.clause("C10")
def test_months_are_added_by_the_calendar(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


@pytest.mark.parametrize("months", [12 * 8000, -12 * 2100])
def test_months_beyond_the_calendar_are_refused(months: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        add_months(date(2026, 1, 1), months)


@pytest.mark.parametrize(
    ("start", "end", "is_full"),
    [
        (date(2025, 11, 1), date(2026, 10, 31), False),
        (date(2025, 11, 1), date(2026, 11, 1), True),
        (date(2025, 11, 1), date(2026, 11, 2), True),
        (date(2024, 2, 29), date(2025, 2, 27), False),
        (date(2024, 2, 29), date(2025, 2, 28), True),
        (date(2023, 3, 1), date(2024, 2, 29), False),
        (date(2023, 3, 1), date(2024, 3, 1), True),
    ],
)
@pytest.mark.clause("C10", "C65")
def test_a_term_lasts_twelve_months_at_least(start: date, end: date, is_full: bool) -> None:
    assert is_full_term(start, end) is is_full
    assert (end >= minimum_end(start)) is is_full


def test_pages_show_the_last_covered_day() -> None:
    assert last_covered_day(date(2026, 11, 1)) == date(2026, 10, 31)
    assert last_covered_day(date(2025, 3, 1)) == date(2025, 2, 28)


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("Asia/Seoul", date(2026, 3, 1), "2026-02-28T15:00"),
        ("Asia/Kathmandu", date(2026, 3, 1), "2026-02-28T18:15"),
        ("America/New_York", date(2026, 3, 8), "2026-03-08T05:00"),
        ("America/New_York", date(2026, 3, 9), "2026-03-09T04:00"),
        ("Australia/Lord_Howe", date(2026, 4, 6), "2026-04-05T13:30"),
        # clocks skip midnight: the day begins at 01:00
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00"),
        ("Asia/Beirut", date(2026, 3, 29), "2026-03-28T22:00"),
        ("Africa/Cairo", date(2026, 4, 24), "2026-04-23T22:00"),
        # clocks show midnight twice: the day begins with the first
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00"),
        # 30 December 2011 never was
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00"),
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00"),
    ],
)
@pytest.mark.clause("C25")
def test_a_day_begins_at_its_first_instant(zone: str, day: date, expected: str) -> None:
    assert first_instant(day, ZoneInfo(zone)) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_time_that_clocks_skip_means_when_they_have_skipped_it() -> None:
    # on Lord Howe Island 02:00 becomes 02:30
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    skipped = datetime(2026, 10, 3, 15, 30, tzinfo=UTC)
    assert first_instant(date(2026, 10, 4), lord_howe, time(2, 15)) == skipped
    assert first_instant(date(2026, 10, 4), lord_howe, time(2, 15, fold=1)) == skipped


def test_a_period_is_two_utc_instants_and_never_empty() -> None:
    seoul = ZoneInfo("Asia/Seoul")
    begin, finish = instants(date(2026, 3, 1), date(2027, 3, 1), seoul)
    assert begin == datetime(2026, 2, 28, 15, tzinfo=UTC)
    assert finish == datetime(2027, 2, 28, 15, tzinfo=UTC)
    assert begin.tzinfo is UTC
    assert finish.tzinfo is UTC
    with pytest.raises(ValueError, match="ends after it starts"):
        instants(date(2026, 3, 1), date(2026, 3, 1), seoul)


@given(days, st.sampled_from(ZONES).map(ZoneInfo), st.times().map(lambda wall: wall.replace(microsecond=0)))
def test_the_first_instant_is_the_first_that_shows_it_or_later(day: date, zone: ZoneInfo, wall: time) -> None:
    instant = first_instant(day, zone, wall)
    shown = instant.astimezone(zone).replace(tzinfo=None)
    before = (instant - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
    assert before < datetime.combine(day, wall) <= shown


@given(days, st.integers(1, 800), st.sampled_from(ZONES).map(ZoneInfo))
def test_neighbouring_periods_meet_without_gap_or_overlap(day: date, length: int, zone: ZoneInfo) -> None:
    middle = day + timedelta(days=length)
    assert instants(day, middle, zone)[1] == instants(middle, middle + timedelta(days=1), zone)[0]


@given(days, st.integers(0, 240))
def test_added_months_keep_the_order_of_days(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day <= day.day
    assert add_months(day + timedelta(days=1), months) >= later
