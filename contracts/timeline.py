"""A customer's contracts along the years: what covered which software when, and where nothing did."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from contracts.kinds import ContractState
from contracts.models import ServiceContract, Software
from contracts.terms import add_months, last_covered_day

COVERING: Final = (ContractState.APPROVED, ContractState.TERMINATED)
# on each side of what is shown, so that the first and the last bar do not touch the edge
MARGIN: Final = timedelta(days=31)
LEAST: Final = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A contract's half-open period. `is_open`: not approved yet, so it covers nothing so far."""

    contract: ServiceContract
    starts_on: date
    ends_on: date
    is_open: bool
    renews: ServiceContract | None

    @property
    def last_day(self) -> date:
        return last_covered_day(self.ends_on)


@dataclass(frozen=True)
class Gap:
    """Days `[starts_on, ends_on)` without cover between two contracts, or since the last one until today."""

    starts_on: date
    ends_on: date
    is_until_today: bool = False

    @property
    def days(self) -> int:
        return (self.ends_on - self.starts_on).days

    @property
    def last_day(self) -> date:
        return last_covered_day(self.ends_on)


@dataclass
class Lane:
    """One software: its bars and gaps in the order of time."""

    software: Software
    bars: list[Bar] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


@dataclass(frozen=True)
class Timeline:
    """The lanes and the days `[starts_on, ends_on)` that they are drawn over."""

    lanes: list[Lane]
    starts_on: date
    ends_on: date
    today: date


def timeline_of(contracts: Iterable[ServiceContract], today: date) -> Timeline:
    """From contracts with `software` and `renews` at hand; drafts and refused ones cover nothing and are left out."""
    lanes: dict[int, Lane] = {}
    shown = [c for c in contracts if c.state in (*COVERING, ContractState.WAITING)]
    for contract in sorted(shown, key=lambda c: (c.software.name, c.software_id, c.starts_on, c.pk)):
        lane = lanes.setdefault(contract.software_id, Lane(contract.software))
        ends_on = contract.covered_before
        if ends_on > contract.starts_on:
            is_open = contract.state == ContractState.WAITING
            lane.bars.append(
                Bar(
                    contract=contract,
                    starts_on=contract.starts_on,
                    ends_on=ends_on,
                    is_open=is_open,
                    renews=contract.renews,
                )
            )
    for lane in lanes.values():
        lane.gaps = gaps_of([(bar.starts_on, bar.ends_on) for bar in lane.bars if not bar.is_open], today)
    return Timeline(list(lanes.values()), *_span(lanes.values(), today), today)


def gaps_of(periods: list[tuple[date, date]], today: date) -> list[Gap]:
    """Between periods in the order of their starts, and from the last one's end until today if it lies behind."""
    covered: list[date] = []
    found: list[Gap] = []
    for (_start, end), (start, _end) in pairwise(sorted(periods)):
        covered.append(end)
        if start > max(covered):
            found.append(Gap(max(covered), start))
    last = max((end for _start, end in periods), default=today)
    if last <= today and periods:
        found.append(Gap(last, today + timedelta(days=1), is_until_today=True))
    return found


def _span(lanes: Iterable[Lane], today: date) -> tuple[date, date]:
    bars = [bar for lane in lanes for bar in lane.bars]
    first = min((bar.starts_on for bar in bars), default=today)
    last = max((bar.ends_on for bar in bars), default=today)
    starts_on, ends_on = min(first, today) - MARGIN, max(last, today) + MARGIN
    return starts_on, max(ends_on, starts_on + LEAST)


def ticks(starts_on: date, ends_on: date) -> list[date]:
    """The first days of years, or of quarters where less than three years are shown."""
    step = 12 if (ends_on - starts_on).days > 3 * 365 else 3
    day = date(starts_on.year, 1, 1)
    found = []
    while day < ends_on:
        if day > starts_on:
            found.append(day)
        day = add_months(day, step)
    return found
