"""`/cases/`: every case the person may see, filtered, sorted, searched, paged, exported."""

from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.middleware import current_user
from accounts.models import User
from accounts.paging import COUNT_LIMIT, capped_count, page_of
from accounts.roles import Permission
from cases import search
from cases.models import Case, CaseQuerySet
from cases.views.exports import export
from cases.views.filters import Filters, Menus, menus_for, state_options
from entitlements.kinds import Priority

PAGE_SIZE: Final = 50
DEFAULT_ORDER: Final = "-updated"


@require_safe
def case_list(request: HttpRequest) -> HttpResponseBase:
    user, now = current_user(request), timezone.now()
    filters = Filters.read(request.GET)
    cases = _found(user, filters, now)
    order = filters.order(DEFAULT_ORDER)
    if request.GET.get("format") == "csv":
        return export(cases, order, user, now)
    page = page_of(cases, order, request.GET, size=PAGE_SIZE)
    total = capped_count(cases, page)
    context = {
        "page": page,
        "total": total,
        "words": cases_in_words(total),
        "filters": filters,
        "sort": filters.sort or DEFAULT_ORDER,
        "now": now,
        **menus(user),
    }
    return fragment_or_page(request, "cases/list.html", "cases/_list.html", context)


def _found(user: User, filters: Filters, now: datetime) -> CaseQuerySet:
    cases = Case.objects.visible_to(user)
    if filters.q:
        cases = search.matching(cases, user, filters.q)
    return filters.apply(cases, user=user, now=now).for_list()


def menus(user: User, *, with_rows: bool = True) -> dict[str, Any]:
    """What the filter bar of a list offers; without rows only what needs no query."""
    found = menus_for(user) if with_rows else Menus([], [], [])
    sees_all = user.can(Permission.CASE_VIEW_ALL)
    owners = [("me", _("me")), ("none", _("nobody")), *found.owners] if sees_all else []
    return {
        "states": state_options(),
        "priorities": [(priority.value, priority.label) for priority in Priority],
        "software": found.software,
        "customers": found.customers,
        "owners": owners,
        "sees_all": sees_all,
    }


def cases_in_words(total: int) -> str:
    """How many, said in a way that never lies."""
    if total > COUNT_LIMIT:
        return _("1,000+ cases")
    return ngettext("%(count)s case", "%(count)s cases", total) % {"count": f"{total:,}"}


def fragment_or_page(
    request: HttpRequest, page: str, fragment: str, context: dict[str, Any]
) -> HttpResponseBase:
    """The part that htmx swaps, or the whole page for everybody else."""
    asked_by_htmx = request.headers.get("HX-Request") == "true"
    wants_part = asked_by_htmx and request.headers.get("HX-History-Restore-Request") != "true"
    response = render(request, fragment if wants_part else page, context)
    patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request"])
    return response
