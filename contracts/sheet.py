"""Reading a CSV of contracts as people have it: any usual encoding and delimiter, headers by more than one name.

Pure: it knows columns and cells, and nothing of contracts. Rows are read one at a time."""

import csv
import io
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

from django.utils.translation import gettext as _

COLUMNS: Final = (
    "number",
    "end_user",
    "software",
    "starts_on",
    "months",
    "last_day",
    "purchase_order",
    "po_end_user_name",
    "po_end_user_address",
    "internal_use",
)
NEEDED: Final = frozenset(
    {
        "end_user",
        "software",
        "starts_on",
        "purchase_order",
        "po_end_user_name",
        "po_end_user_address",
        "internal_use",
    }
)
_ALIASES: Final = {
    "customer": "end_user",
    "enduser": "end_user",
    "product": "software",
    "sow": "software",
    "statement_of_work": "software",
    "start": "starts_on",
    "start_date": "starts_on",
    "first_day": "starts_on",
    "first_covered_day": "starts_on",
    "term": "months",
    "term_months": "months",
    "end": "last_day",
    "last_covered_day": "last_day",
    "po": "purchase_order",
    "po_number": "purchase_order",
    "order": "purchase_order",
    "order_number": "purchase_order",
    "end_user_on_order": "po_end_user_name",
    "order_name": "po_end_user_name",
    "address_on_order": "po_end_user_address",
    "order_address": "po_end_user_address",
    "internal": "internal_use",
    "internal_use_only": "internal_use",
    "no": "number",
    "row": "number",
    "line": "number",
}
# a spreadsheet takes a cell that begins so for a formula; the wide forms count in some of them too
FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
LONGEST_CELL: Final = 1000
_SAMPLE: Final = 64 * 1024
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class Unreadable(Exception):
    """The file as a whole is no CSV of contracts; the message says why."""


@dataclass(frozen=True)
class Row:
    """One row, as written. `line` counts rows of the file, the header being line 1. `fault`: it does not fit."""

    line: int
    values: dict[str, str]
    fault: str = ""


def encoding_of(start: bytes) -> str:
    """By the mark at the beginning; without one UTF-16 shows by its zero bytes, and the rest is UTF-8."""
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    pairs = start[: len(start) // 2 * 2]
    even, odd = pairs[::2].count(0), pairs[1::2].count(0)
    if pairs and max(even, odd) > len(pairs) // 5:
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8"


def delimiter_of(header: str) -> str:
    """Comma, semicolon or tab: the one that occurs most in the header."""
    return max(",;\t", key=header.count)


def read(source: IO[bytes]) -> Generator[Row, None, None]:
    """The rows below the header, one at a time; empty ones are left out. `source` can seek.

    Raises: Unreadable, also in the middle, where bytes are no text."""
    start = source.read(_SAMPLE)
    source.seek(0)
    text = io.TextIOWrapper(source, encoding=encoding_of(start), newline="")
    try:
        yield from _rows(text)
    except UnicodeError as error:
        raise Unreadable(_("This is no text in UTF-8 or UTF-16. Save it as CSV in UTF-8.")) from error
    except csv.Error as error:
        raise Unreadable(_("This is no CSV: %(why)s.") % {"why": error}) from error
    finally:
        text.detach()


def _rows(text: io.TextIOWrapper) -> Iterator[Row]:
    header = text.readline()
    if not header.strip("\ufeff \r\n"):
        raise Unreadable(_("The file has no header. Begin with the names of the columns."))
    delimiter = delimiter_of(header)
    names = _columns(next(csv.reader([header], delimiter=delimiter)))
    reader = csv.reader(text, delimiter=delimiter)
    for line, cells in enumerate(reader, start=2):
        if any(cell.strip() for cell in cells):
            yield _row(line, names, cells)


def _row(line: int, names: list[str], cells: list[str]) -> Row:
    kept = [cell.replace("\0", "\ufffd").strip() for cell in cells]
    values = {name: cell[:LONGEST_CELL] for name, cell in zip(names, kept, strict=False) if name}
    if len(kept) > len(names) and any(kept[len(names) :]):
        return Row(line, values, _("The row has more cells than the header."))
    if any(len(cell) > LONGEST_CELL for cell in kept):
        return Row(line, values, _("A cell is longer than %(most)d characters.") % {"most": LONGEST_CELL})
    return Row(line, values)


def _columns(titles: Iterable[str]) -> list[str]:
    names = [_column(title) for title in titles]
    known = [name for name in names if name]
    twice = {name for name in known if known.count(name) > 1}
    if twice:
        raise Unreadable(_("A column stands twice: %(names)s.") % {"names": ", ".join(sorted(twice))})
    missing = NEEDED - set(known)
    if not {"months", "last_day"} & set(known):
        missing |= {"months"}
    if missing:
        raise Unreadable(_("Columns are missing: %(names)s.") % {"names": ", ".join(sorted(missing))})
    return names


def _column(title: str) -> str:
    """The column that a title means; empty for one that is left alone."""
    words = "".join(c if c.isalnum() else " " for c in title.strip("\ufeff").casefold()).split()
    name = "_".join(words)
    name = _ALIASES.get(name, name)
    return name if name in COLUMNS else ""


def formula(values: dict[str, str]) -> str:
    """The first column whose cell a spreadsheet would calculate, or nothing."""
    return next((name for name, cell in values.items() if cell.startswith(FORMULA_SIGNS)), "")


def safe_cell(value: Any) -> str:
    """A value as a cell that no spreadsheet calculates."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_SIGNS) else text


class _Line:
    """A file that gives back what is written to it: `csv` wants one, a stream has none."""

    def write(self, text: str) -> str:
        return text


def written(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Rows as lines of a CSV that opens rightly in spreadsheets: marked as UTF-8, no formulas."""
    writer = csv.writer(_Line())
    mark = "\ufeff"
    for row in rows:
        yield mark + writer.writerow([safe_cell(value) for value in row])
        mark = ""
