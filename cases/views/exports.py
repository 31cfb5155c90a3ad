"""A list of cases as CSV: what the list shows, all pages of it, streamed."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import Permission
from cases.models import Case, CaseQuerySet
from cases.views.paging import Key, page_of

CHUNK: Final = 500
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


def export(cases: CaseQuerySet, keys: tuple[Key, ...], user: User, now: datetime) -> StreamingHttpResponse:
    """Every case of the list, chunk by chunk by key, so that memory stays flat whatever the length."""
    response = StreamingHttpResponse(_lines(cases, keys, user), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="cases-{now:%Y-%m-%d-%H%M}.csv"'
    return response


def _lines(cases: CaseQuerySet, keys: tuple[Key, ...], user: User) -> Iterator[str]:
    writer = csv.writer(_Line())
    sees_all = user.can(Permission.CASE_VIEW_ALL)
    yield "\ufeff" + writer.writerow(_head(sees_all))
    after = ""
    while True:
        page = page_of(cases, keys, after=after, size=CHUNK)
        for case in page.rows:
            yield writer.writerow([cell(value) for value in _row(case, sees_all)])
        if not page.older:
            return
        after = page.older


def _head(sees_all: bool) -> list[str]:
    head = [
        _("Number"),
        _("Priority"),
        _("State"),
        _("In one line"),
        _("Your reference"),
        _("Software"),
        _("Release"),
        _("Site"),
        _("Owner"),
        _("Opened (UTC)"),
        _("Updated (UTC)"),
        _("Next deadline (UTC)"),
        _("Restored (UTC)"),
        _("Closed (UTC)"),
    ]
    return [_("Customer"), *head] if sees_all else head


def _row(case: Case, sees_all: bool) -> list[Any]:
    row = [
        case.number,
        case.priority,
        case.get_state_display(),
        case.synopsis,
        case.customer_reference,
        case.software.name,
        case.release.version,
        case.site.name,
        case.owner.user.name if case.owner else "",
        case.opened_at,
        case.updated_at,
        case.next_deadline_at,
        case.restored_at,
        case.closed_at,
    ]
    return [case.organisation.name, *row] if sees_all else row
