"""What co-termination would make of several contracts: who would end when, and how long each would last (C10)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from contracts.models import ServiceContract
from contracts.terms import add_months, is_full_term, last_covered_day


@dataclass(frozen=True)
class Length:
    """A period in whole months and the days that are left over."""

    months: int
    days: int


def length_of(start: date, end: date) -> Length:
    """How long `[start, end)` is by the calendar: as many whole months as fit, then days."""
    months = max(0, (end.year - start.year) * 12 + end.month - start.month + 1)
    while months and add_months(start, months) > end:
        months -= 1
    return Length(months, (end - add_months(start, months)).days)


@dataclass(frozen=True, kw_only=True)
class Aligned:
    """One contract's next term if it ended with the others. `starts_on`: when its present term ends.

    `is_short` needs an approval (C10); `is_over` cannot be aligned, it ends later than that already."""

    contract: ServiceContract
    starts_on: date
    ends_on: date
    length: Length
    is_short: bool
    is_over: bool

    @property
    def last_day(self) -> date:
        return last_covered_day(self.ends_on)


def aligned(contracts: Iterable[ServiceContract], ends_on: date) -> list[Aligned]:
    """The next term of each contract, from its own end until `ends_on` (the first day not covered)."""
    return [
        Aligned(
            contract=contract,
            starts_on=contract.ends_on,
            ends_on=ends_on,
            length=length_of(contract.ends_on, max(ends_on, contract.ends_on)),
            is_short=not is_full_term(contract.ends_on, ends_on),
            is_over=contract.ends_on >= ends_on,
        )
        for contract in contracts
    ]
