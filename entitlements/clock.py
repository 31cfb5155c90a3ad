"""The business clock: what counts as working time at a site, and when an amount of it has passed.

Amounts are minutes. Every instant that comes in must know its zone; every instant that goes out is UTC.
Working time of a local day begins the first time that clocks there show `start` and finishes the first time
that they show `end`, so a change of the clocks in between makes it really longer or shorter."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import holidays as holiday_calendars

from contracts.terms import first_instant

Period = tuple[datetime, datetime]
"""Half-open: the first instant belongs to it, the second does not."""

Pause = tuple[datetime, datetime | None]
"""Half-open; None while nobody knows when it ends."""

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_FOREVER: Final = datetime.max.replace(tzinfo=UTC)
_LONGEST_CLOSURE: Final = 3660  # days; a calendar that stays shut for longer is a mistake, not a holiday


class ClockStopped(Exception):
    """The amount of working time never passes: the clock is paused without an end, or never opens again."""


@lru_cache(maxsize=2048)
def public_holidays(country: str, year: int, subdivision: str | None = None) -> frozenset[date]:
    """Public holidays of `year` in a country (ISO 3166 code) and, where it is known, one of its parts.

    An unknown part counts as the whole country; a country of which no holidays are known has none."""
    parts = holiday_calendars.list_supported_countries().get(country.upper())
    if parts is None:
        return frozenset()
    part = subdivision if subdivision in parts else None
    return frozenset(holiday_calendars.country_holidays(country.upper(), subdiv=part, years=year))


@dataclass(frozen=True, slots=True)
class PublicHolidays:
    """Says whether a day is off: the country's public holidays, plus `added`, less `removed`."""

    country: str
    subdivision: str | None = None
    added: frozenset[date] = frozenset()
    removed: frozenset[date] = frozenset()

    def __call__(self, day: date) -> bool:
        if day in self.added:
            return True
        return day not in self.removed and day in public_holidays(self.country, day.year, self.subdivision)


class Hours(Protocol):
    """What the arithmetic needs to know of a clock."""

    @property
    def minutes_per_day(self) -> int: ...

    def day_of(self, instant: datetime) -> date: ...

    def opening(self, day: date) -> Period | None: ...


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """Working time of a place: weekdays (Monday is 0), wall-clock hours in its zone, days off.

    An `end` of 00:00 means the midnight after.

    Raises: ValueError for no weekday, or an end that is not after the start."""

    zone: ZoneInfo
    weekdays: frozenset[int] = frozenset(range(5))
    start: time = time(9)
    end: time = time(17)
    holidays: frozenset[date] | Callable[[date], bool] = frozenset()

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays <= frozenset(range(7)):
            raise ValueError("working hours need weekdays, from 0 (Monday) to 6")
        if self.end != time.min and self.end <= self.start:
            raise ValueError("working hours end after they start, on the same day")

    @property
    def minutes_per_day(self) -> int:
        """Minutes of an ordinary working day, on which the clocks do not change."""
        finish = datetime.combine(date.min + (_DAY if self.end == time.min else timedelta()), self.end)
        return (finish - datetime.combine(date.min, self.start)) // _MINUTE

    def day_of(self, instant: datetime) -> date:
        """The local date at `instant`."""
        return instant.astimezone(self.zone).date()

    def opening(self, day: date) -> Period | None:
        """Working time of a local day (UTC), or None on a day off."""
        if day.weekday() not in self.weekdays or self._is_holiday(day):
            return None
        last_day = day + _DAY if self.end == time.min else day
        begin = first_instant(day, self.zone, self.start)
        finish = first_instant(last_day, self.zone, self.end)
        return (begin, finish) if begin < finish else None

    def _is_holiday(self, day: date) -> bool:
        return self.holidays(day) if callable(self.holidays) else day in self.holidays


@dataclass(frozen=True, slots=True)
class RoundTheClock:
    """Every minute counts (C20)."""

    @property
    def minutes_per_day(self) -> int:
        return 24 * 60

    def day_of(self, instant: datetime) -> date:
        return instant.astimezone(UTC).date()

    def opening(self, day: date) -> Period | None:
        begin = datetime.combine(day, time.min, tzinfo=UTC)
        return begin, begin + _DAY


ROUND_THE_CLOCK: Final = RoundTheClock()


def add_business(start: datetime, minutes: int, hours: Hours, pauses: Sequence[Pause] = ()) -> datetime:
    """The earliest instant (UTC) at which `minutes` of working time outside the pauses have passed (C68).

    Nothing to wait for means `start` itself, working time or not. An amount that runs out at closing time is
    due then, not the next morning.

    Raises: ClockStopped if that never happens; ValueError for a negative amount, an instant without zone."""
    if minutes < 0:
        raise ValueError("an amount of working time is not negative")
    begin, left, stops = _utc(start), minutes * _MINUTE, _merged(pauses)
    if not left:
        return begin
    for opening in _openings(begin, hours):
        for worked in _outside(opening, stops):
            if worked[1] - worked[0] >= left:
                return worked[0] + left
            left -= worked[1] - worked[0]
        if stops and stops[-1][1] == _FOREVER and stops[-1][0] <= opening[1]:
            raise ClockStopped("paused, and nobody knows until when")
    raise ClockStopped("this calendar never opens again")


def add_business_days(start: datetime, days: int, hours: Hours, pauses: Sequence[Pause] = ()) -> datetime:
    """`days` business days after `start`: for each, as much working time as an ordinary working day has.

    With 09:00-17:00, one business day after Tuesday 15:30 is Wednesday 15:30, and after Saturday it is Monday
    17:00.

    Raises: as add_business."""
    return add_business(start, days * hours.minutes_per_day, hours, pauses)


def business_time_between(
    start: datetime, end: datetime, hours: Hours, pauses: Sequence[Pause] = ()
) -> timedelta:
    """Working time in `[start, end)` outside the pauses, exactly; none if `end` is not after `start`."""
    stops = _merged(pauses)
    worked = (part for period in working_periods(start, end, hours) for part in _outside(period, stops))
    return sum((finish - begin for begin, finish in worked), timedelta())


def business_minutes_between(
    start: datetime, end: datetime, hours: Hours, pauses: Sequence[Pause] = ()
) -> int:
    """Whole minutes of working time in `[start, end)` outside the pauses; 0 if `end` is not after `start`."""
    return business_time_between(start, end, hours, pauses) // _MINUTE


def working_periods(start: datetime, end: datetime, hours: Hours) -> Iterator[Period]:
    """The parts of `[start, end)` that are working time (UTC), in order."""
    finish = _utc(end)
    for opening in _openings(_utc(start), hours, until=finish):
        yield opening[0], min(opening[1], finish)


def is_working_time(instant: datetime, hours: Hours) -> bool:
    """Whether `instant` is working time."""
    return any(working_periods(instant, instant + timedelta(microseconds=1), hours))


def _openings(start: datetime, hours: Hours, until: datetime | None = None) -> Iterator[Period]:
    day = hours.day_of(start)
    # One more: when clocks are set back over midnight, the next day has begun before this one is over.
    last_day = hours.day_of(until) + _DAY if until else date.max
    shut = 0
    while shut < _LONGEST_CLOSURE:
        opening = hours.opening(day)
        shut = 0 if opening else shut + 1
        if day > last_day or (opening and until and opening[0] >= until):
            return
        if opening and opening[1] > start:
            yield max(opening[0], start), opening[1]
        day += _DAY


def _outside(period: Period, stops: Sequence[Period]) -> Iterator[Period]:
    begin, finish = period
    for stop_begin, stop_end in stops:
        if stop_begin >= finish:
            break
        if begin < stop_begin:
            yield begin, stop_begin
        begin = max(begin, stop_end)
    if begin < finish:
        yield begin, finish


def _merged(pauses: Sequence[Pause]) -> list[Period]:
    merged: list[Period] = []
    for begin, end in sorted((_utc(begin), _utc(end) if end else _FOREVER) for begin, end in pauses):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        elif begin < end:
            merged.append((begin, end))
    return merged


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC)
