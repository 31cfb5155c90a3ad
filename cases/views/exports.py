"""A list of cases as CSV: what the list shows, all pages of it, streamed."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.paging import Order, part_of
from accounts.roles import Permission
from accounts.sheets import cell, sheet
from cases.models import Case, CaseQuerySet

__all__ = ["cell", "export"]

CHUNK: Final = 500


def export(cases: CaseQuerySet, order: Order, user: User, now: datetime) -> StreamingHttpResponse:
    """Every case of the list, chunk by chunk by key, so that memory stays flat whatever the length."""
    sees_all = user.can(Permission.CASE_VIEW_ALL)
    return sheet("cases", _head(sees_all), _rows(cases, order, sees_all), now)


def _rows(cases: CaseQuerySet, order: Order, sees_all: bool) -> Iterator[list[Any]]:
    after = ""
    while True:
        page = part_of(cases, order, after=after, size=CHUNK)
        yield from (_row(case, sees_all) for case in page.rows)
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
