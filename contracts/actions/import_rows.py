"""What the dry run says of one row of a file: the same rules as for a registration on the page, nothing written."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.export_control import CountryExcluded
from accounts.models import Organisation, User
from accounts.roles import OrganisationKind
from accounts.text import clean_line, clean_text
from contracts import errors, sheet
from contracts.actions.registration import check_registration, overlap_message, overlapping
from contracts.kinds import Channel, ContractState, RowVerdict
from contracts.models import ContractImport, ContractImportRow, ServiceContract, Software
from contracts.terms import add_months

MOST_MONTHS: Final = 120
YES: Final = frozenset({"yes", "y", "true", "1", "x", "예", "네"})
LENGTHS: Final = {"purchase_order": 60, "po_end_user_name": 200, "po_end_user_address": 500}
# year first, as in 2027-01-31, 2027/1/31 and 2027. 1. 31.
DAY: Final = re.compile(r"(\d{4})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{1,2})\.?")
Period = tuple[date, date, int]


class BadCell(Exception):
    """A cell that cannot be taken; `column` names it."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


@dataclass
class Book:
    """What the rows of one file are looked up in: names that its owner may use, and what stood further up."""

    by: User
    day: date
    customers: dict[str, list[Organisation]]
    software: dict[str, list[Software]]
    periods: dict[tuple[int, int], list[Period]] = field(default_factory=lambda: defaultdict(list))
    numbers: dict[str, int] = field(default_factory=dict)

    def add(self, row: ContractImportRow) -> None:
        """Remember a row for those that follow."""
        number = row.values["cells"].get("number", "")
        if number:
            self.numbers.setdefault(number, row.line_number)
        found = row.values.get("found")
        if row.verdict == RowVerdict.GOOD and found:
            period = date.fromisoformat(found["starts_on"]), date.fromisoformat(found["ends_on"])
            self.periods[found["end_user"], found["software"]].append((*period, row.line_number))


def book_of(run: ContractImport, by: User, day: date) -> Book:
    """Three queries, and one row of figures for each row that was checked before."""
    customers = Organisation.objects.visible_to(by).filter(kind=OrganisationKind.END_USER)
    software = Software.objects.visible_to(by)
    book = Book(
        by=by,
        day=day,
        customers=_named((row, (row.slug, row.name)) for row in customers),
        software=_named((row, (row.slug, row.name, row.sow_reference)) for row in software),
    )
    for row in run.rows.only("line_number", "verdict", "values").iterator():
        book.add(row)
    return book


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _named(rows: Iterable[tuple[Any, Iterable[str]]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row, names in rows:
        for name in {_letters(name) for name in names}:
            found[name].append(row)
    return found


def judged(row: sheet.Row, book: Book) -> ContractImportRow:
    """The row with its verdict, not saved: good, bad with column and reason, or registered before."""
    judgement = ContractImportRow(line_number=row.line, values={"cells": row.values}, verdict=RowVerdict.BAD)
    try:
        contract = _contract(row, book)
        judgement.values["found"] = _found(contract)
        known = _registered(contract)
        if known is not None:
            judgement.verdict, judgement.contract = RowVerdict.KNOWN, known
            return judgement
        _check(contract, book)
    except BadCell as refusal:
        judgement.field, judgement.message = refusal.column, str(refusal)[:400]
    except (errors.ContractError, CountryExcluded) as refusal:
        judgement.field = getattr(refusal, "field", "end_user")
        judgement.message = str(refusal)[:400]
    else:
        judgement.verdict = RowVerdict.GOOD
    return judgement


def _check(contract: ServiceContract, book: Book) -> None:
    check_registration(contract, day=book.day)
    if overlapping(contract) is not None:
        raise errors.PeriodOverlaps(overlap_message(contract))
    for start, end, line in book.periods[contract.end_user_id, contract.software_id]:
        if start < contract.ends_on and contract.starts_on < end:
            raise BadCell(
                "starts_on", _("Line %(line)d of the file covers part of these dates.") % {"line": line}
            )


def _contract(row: sheet.Row, book: Book) -> ServiceContract:
    cells = row.values
    if row.fault:
        raise BadCell("", row.fault)
    formula = sheet.formula(cells)
    if formula:
        raise BadCell(formula, _("A cell must not begin like a formula (= + - @)."))
    number = cells.get("number", "")
    if number in book.numbers:
        raise BadCell(
            "number", _("Line %(line)d of the file has the same number.") % {"line": book.numbers[number]}
        )
    end_user = _one(book.customers, cells, "end_user")
    starts_on, ends_on = _term(cells)
    partner = (
        book.by.acting.organisation if book.by.acting and book.by.acting.organisation.is_partner else None
    )
    return ServiceContract(
        end_user=end_user,
        software=_software(book, cells, end_user),
        partner=partner,
        channel=Channel.RESELLER if partner else Channel.DIRECT,
        starts_on=starts_on,
        ends_on=ends_on,
        is_internal_use=cells.get("internal_use", "").casefold() in YES,
        state=ContractState.WAITING,
        **{name: _text(cells, name) for name in LENGTHS},
    )


def _one(rows: dict[str, list[Any]], cells: dict[str, str], column: str) -> Any:
    text = cells.get(column, "")
    if not text:
        raise BadCell(column, _("This cell is empty."))
    found = rows.get(_letters(text), [])
    if len(found) > 1:
        raise BadCell(column, _("More than one has this name: give the short name."))
    if not found:
        unknown = {
            "end_user": _(
                "None of your customers has this name. Register a new end user on the page first (C9)."
            ),
            "software": _("No software of your customers has this name or statement of work."),
        }
        raise BadCell(column, unknown[column])
    return found[0]


def _software(book: Book, cells: dict[str, str], end_user: Organisation) -> Software:
    """A statement of work may name more than one: then it is what was made for this end user."""
    found = book.software.get(_letters(cells.get("software", "")), [])
    if len(found) > 1:
        theirs = [row for row in found if row.end_users.filter(pk=end_user.pk).exists()]
        if len(theirs) == 1:
            return theirs[0]
    software: Software = _one(book.software, cells, "software")
    return software


def _term(cells: dict[str, str]) -> tuple[date, date]:
    starts_on = _day(cells, "starts_on")
    months, last = cells.get("months", ""), cells.get("last_day", "")
    if not months and not last:
        raise BadCell("months", _("Give the months, or the last covered day."))
    by_last = _day(cells, "last_day") + timedelta(days=1) if last else None
    if not months and by_last is not None:
        return starts_on, by_last
    if not (
        months.isascii() and months.isdigit() and 1 <= len(months) <= 3 and 1 <= int(months) <= MOST_MONTHS
    ):
        raise BadCell("months", _("Give a number of months from 1 to %(most)d.") % {"most": MOST_MONTHS})
    try:
        ends_on = add_months(starts_on, int(months))
    except ValueError as error:
        raise BadCell("starts_on", _("This is too far in the future.")) from error
    if by_last not in (None, ends_on):
        raise BadCell("last_day", _("Months and last covered day do not say the same."))
    return starts_on, ends_on


def _day(cells: dict[str, str], column: str) -> date:
    found = DAY.fullmatch(cells.get(column, ""))
    day = _date(*(int(part) for part in found.groups())) if found and found.string.isascii() else None
    if day is None:
        raise BadCell(column, _("This is no date. Write it like 2027-01-31."))
    return day


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year < 9990 else None
    except ValueError:
        return None


def _text(cells: dict[str, str], column: str) -> str:
    try:
        text = (clean_text if column == "po_end_user_address" else clean_line)(cells.get(column, ""))
    except ValidationError as error:
        raise BadCell(column, str(error.messages[0])) from error
    if len(text) > LENGTHS[column]:
        raise BadCell(column, _("This is longer than %(most)d characters.") % {"most": LENGTHS[column]})
    return text


def _found(contract: ServiceContract) -> dict[str, Any]:
    return {
        "end_user": contract.end_user_id,
        "software": contract.software_id,
        "starts_on": contract.starts_on.isoformat(),
        "ends_on": contract.ends_on.isoformat(),
    }


def _registered(contract: ServiceContract) -> ServiceContract | None:
    """The same order's contract, registered before: by the page, or by an earlier import of the same file."""
    same = ServiceContract.objects.filter(
        partner=contract.partner,
        purchase_order=contract.purchase_order,
        end_user=contract.end_user,
        software=contract.software,
        starts_on=contract.starts_on,
    )
    return same.exclude(state__in=[ContractState.DRAFT, ContractState.REFUSED]).first()
