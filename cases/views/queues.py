"""`/queues/` for JTAC: what nobody has, what I have, and everything open, the most urgent first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.middleware import current_user
from accounts.models import User
from accounts.paging import COUNT_LIMIT, capped_count, page_of
from accounts.roles import Permission
from cases.models import Case
from cases.views.filters import URGENCY, Filters, by_urgency
from cases.views.lists import PAGE_SIZE, cases_in_words, fragment_or_page, menus

SHORT: Final = 10


@dataclass
class Part:
    """A short list on the overview: the most urgent few, and where all of them stand."""

    name: str
    title: str
    rows: list[Case]
    more: str
    nothing: str


def staff_only(user: User) -> None:
    """Raises: PermissionDenied for everybody who does not see every case."""
    if not user.can(Permission.CASE_VIEW_ALL):
        raise PermissionDenied(_("Queues are for support staff."))


@require_safe
def queue_list(request: HttpRequest) -> HttpResponseBase:
    user, now = current_user(request), timezone.now()
    staff_only(user)
    filters = Filters.read(request.GET)
    cases = filters.apply(Case.objects.visible_to(user), user=user, now=now).for_list()
    order = filters.order("deadline") if filters.sort or not filters.owner else URGENCY
    rows = (by_urgency(cases, now) if order is URGENCY else cases).annotate(
        newest=Subquery(_newest_rows(user))
    )
    page = page_of(rows, order, request.GET, size=PAGE_SIZE)
    total = capped_count(cases, page)
    is_overview = not (filters.narrows or filters.after or filters.before)
    context = {
        "page": page,
        "total": total,
        "words": cases_in_words(total),
        "filters": filters,
        "sort": filters.sort or ("deadline" if order is not URGENCY else ""),
        "parts": _parts(user, now) if is_overview else [],
        "newest": page.rows[0].newest if page.rows else _newest(user),  # type: ignore[attr-defined]  # annotated
        "takes": user.can(Permission.CASE_TRIAGE),
        "now": now,
        **menus(user, with_rows=not is_overview),
    }
    return fragment_or_page(request, "cases/queues.html", "cases/_queue.html", context)


def _parts(user: User, now: datetime) -> list[Part]:
    if not user.can(Permission.CASE_TRIAGE):
        return []
    unassigned, mine = mine_and_unassigned(user, now, SHORT + 1)
    return [
        _part("unassigned", _("Unassigned"), unassigned, "?owner=none", _("Nobody waits to be taken.")),
        _part("mine", _("Mine"), mine, "?owner=me", _("You have no open case.")),
    ]


def _part(name: str, title: str, rows: list[Case], more: str, nothing: str) -> Part:
    return Part(name, title, rows[:SHORT], more if len(rows) > SHORT else "", nothing)


def mine_and_unassigned(user: User, now: datetime, limit: int) -> tuple[list[Case], list[Case]]:
    """The most urgent few that nobody has, and that I have; one query. What waits for the customer comes last."""
    order = [key.order(backwards=False) for key in URGENCY]
    cases = by_urgency(Case.objects.visible_to(user).open(), now)
    first, second = (
        cases.filter(owner=owner).order_by(*order).values("pk")[:limit] for owner in (None, user.acting)
    )
    rows = list(cases.filter(pk__in=first.union(second, all=True)).for_list().order_by(*order))
    return [case for case in rows if case.owner_id is None], [case for case in rows if case.owner_id]


def _newest_rows(user: User) -> QuerySet[Any, Any]:
    return Case.objects.visible_to(user).order_by("-pk").values("pk")[:1]


def _newest(user: User) -> int:
    return next((row["pk"] for row in _newest_rows(user)), 0)


@require_safe
def queue_news(request: HttpRequest) -> HttpResponse:
    """How many cases were opened since the page was made; polled, and mostly answered by a 304."""
    user = current_user(request)
    staff_only(user)
    since = request.GET.get("since", "")
    count = 0
    if since.isascii() and since.isdigit() and len(since) < 19:
        count = capped_count(Case.objects.visible_to(user).open().filter(pk__gt=int(since)))
    etag = f'"{count}-{request.LANGUAGE_CODE}"'
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = render(request, "cases/_news.html", {"count": count, "words": news_in_words(count)})
    response["ETag"] = etag
    patch_cache_control(response, private=True, no_cache=True)
    return response


def news_in_words(count: int) -> str:
    if count > COUNT_LIMIT:
        return _("1,000+ new cases")
    return ngettext("%(count)s new case", "%(count)s new cases", count) % {"count": count}


@require_safe
def queue_next(request: HttpRequest) -> HttpResponse:
    """On to the most urgent case that is mine or nobody's; `?after=` names the one to leave out."""
    user = current_user(request)
    staff_only(user)
    case = next_case(user, leave_out=request.GET.get("after", ""), now=timezone.now())
    if case is None:
        messages.info(request, _("Nothing waits: no case is yours or unassigned with a deadline ahead."))
        return redirect("queue_list")
    return redirect("case_detail", case.number)


def next_case(user: User, *, leave_out: str, now: datetime) -> Case | None:
    """The first by urgency among mine and the unassigned; none that waits for the customer."""
    unassigned, mine = mine_and_unassigned(user, now, 2)
    return most_urgent([case for case in (*unassigned, *mine) if case.number != leave_out])


def most_urgent(cases: Sequence[Case]) -> Case | None:
    """The first by URGENCY among rows that `by_urgency` has made; None if all of them wait for the customer."""
    ahead = [case for case in cases if case.next_deadline_at is not None]
    return min(ahead, key=lambda case: [getattr(case, key.name) for key in URGENCY], default=None)
