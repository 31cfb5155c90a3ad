"""Terms of a contract: months, half-open periods of days, and the instants at which they begin and end."""

from bisect import bisect_left
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

MINIMUM_MONTHS: Final = 12


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or the last day of that month if it is shorter (C10).

    29 February plus 12 months is 28 February. PostgreSQL's `date + interval '12 months'` gives the same date.

    Raises: ValueError beyond the years 1 to 9999."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise ValueError(f"year {year} is out of range")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def minimum_end(start: date, months: int = MINIMUM_MONTHS) -> date:
    """The earliest end (the first day no longer covered) of a term that begins on `start` (C10, C65)."""
    return add_months(start, months)


def is_full_term(start: date, end_exclusive: date, months: int = MINIMUM_MONTHS) -> bool:
    """Whether `[start, end_exclusive)` lasts at least `months` months (C10, C65): dates, not instants."""
    return end_exclusive >= minimum_end(start, months)


def last_covered_day(end: date) -> date:
    """The day shown to people as the end of a period whose first uncovered day is `end`."""
    return end - timedelta(days=1)


def instants(start: date, end: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The UTC instants of the half-open period `[start, end)` of days in `zone` (C10, C25).

    Each is the first instant of its day, which is later than midnight where the clocks skip midnight.

    Raises: ValueError if the period is empty."""
    if end <= start:
        raise ValueError("a period ends after it starts")
    return first_instant(start, zone), first_instant(end, zone)


def first_instant(day: date, zone: ZoneInfo, wall: time = time.min) -> datetime:
    """The first instant (UTC) at which clocks in `zone` show `wall` on `day`, or later where they skip it.

    A time shown twice means its first showing. A day that never was (30 December 2011 in Samoa) begins where
    the next one does."""
    shown = datetime.combine(day, wall.replace(fold=0))
    instant = shown.replace(tzinfo=zone).astimezone(UTC)
    if _shown_at(instant, zone) == shown:
        return instant
    # In a gap the two folds stand on either side of the change, which is at a whole second.
    before = shown.replace(tzinfo=zone, fold=1).astimezone(UTC).replace(microsecond=0)
    seconds = range(int((instant - before).total_seconds()) + 1)
    change = bisect_left(
        seconds, True, key=lambda second: _shown_at(before + timedelta(seconds=second), zone) >= shown
    )
    return before + timedelta(seconds=change)


def _shown_at(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)
