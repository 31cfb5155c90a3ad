"""CSV that a spreadsheet reads and never calculates, streamed line by line."""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from django.http import StreamingHttpResponse

# a spreadsheet takes a cell that begins so for a formula; the wide forms count in some of them too
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class _Line:
    """A file that gives back what is written to it: `csv` wants one, a stream has none."""

    def write(self, text: str) -> str:
        return text


def cell(value: Any) -> str:
    """A value as a cell that no spreadsheet calculates; moments in UTC."""
    if value is None:
        return ""
    text = f"{value.astimezone(UTC):%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_SIGNS) else text


def lines(head: Iterable[Any], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The head and each row as a line of CSV; the mark in front tells a spreadsheet that it is UTF-8."""
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow([cell(value) for value in head])
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def sheet(
    name: str, head: Iterable[Any], rows: Iterable[Iterable[Any]], now: datetime
) -> StreamingHttpResponse:
    """A CSV file to download, written while it is sent; its name carries `now`."""
    response = StreamingHttpResponse(lines(head, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{now:%Y-%m-%d-%H%M}.csv"'
    return response
