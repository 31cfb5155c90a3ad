"""`/search/`: the case that is named goes first; otherwise what was found, each with the words around the hit."""

import re
from operator import itemgetter
from typing import Final

from django.db.models import Q, Value
from django.db.models.functions import Substr
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from accounts.middleware import current_user
from accounts.models import User
from accounts.roles import Permission
from cases import search
from cases.models import Case, CaseEvent

SHOWN: Final = 25
LOOKED_AT: Final = 20_000
AROUND: Final = 90
_WORD: Final = re.compile(r"[^\s\"']{2,}")


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    text = search.clean(request.GET.get("q", ""))
    found = search.find(user, text, limit=SHOWN) if text else None
    if found and found.exact and _is_alone(found, text):
        return redirect("case_detail", found.exact.number)
    cases = found.cases if found else []
    around = contexts(cases, user, text)
    context = {
        "q": text,
        "results": [(case, around.get(case.pk, "")) for case in cases],
        "has_more": bool(found and found.has_more),
        "sees_all": user.can(Permission.CASE_VIEW_ALL),
        "now": timezone.now(),
    }
    return render(request, "cases/search.html", context)


def _is_alone(found: search.Found, text: str) -> bool:
    """Whether the exact hit is the only one: a number always is, a reference may stand on several cases."""
    assert found.exact is not None
    if found.exact.number == search.number_in(text):
        return True
    same = [case for case in found.cases if case.customer_reference.casefold() == text.casefold()]
    return len(same) == 1 and not found.has_more


def contexts(cases: list[Case], user: User, text: str) -> dict[int, SafeString]:
    """The words around the first hit in each case: in its description, else in its newest matching entry."""
    words = _WORD.findall(text)[:8]
    if not cases or not words:
        return {}
    pattern = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    pks = [case.pk for case in cases]
    rows = Case.objects.visible_to(user).filter(pk__in=pks)
    found: dict[int, SafeString] = {}
    wanted = Q()
    for word in words:
        wanted |= Q(body__icontains=word)
    entries = CaseEvent.objects.visible_to(user).filter(wanted, case__in=pks).order_by("-at", "-pk")[:200]
    texts = rows.annotate(place=Value(0), text=Substr("description", 1, LOOKED_AT)).values_list(
        "place", "pk", "text"
    )
    more = entries.annotate(place=Value(1), text=Substr("body", 1, LOOKED_AT)).values_list(
        "place", "case_id", "text"
    )
    for _place, pk, text_of in sorted(texts.union(more, all=True), key=itemgetter(0)):
        _keep(found, pk, text_of, pattern)
    return found


def _keep(found: dict[int, SafeString], pk: int, text: str, pattern: re.Pattern[str]) -> None:
    hit = None if pk in found else pattern.search(text)
    if hit is not None:
        found[pk] = excerpt(text, hit.start(), pattern)


def excerpt(text: str, at: int, pattern: re.Pattern[str]) -> SafeString:
    """The text around `at`, escaped, with every match marked."""
    start = max(0, at - AROUND)
    piece = " ".join(text[start : at + 2 * AROUND].split())
    parts, last = [], 0
    for match in pattern.finditer(piece):
        parts += [
            (conditional_escape(piece[last : match.start()]),),
            (format_html("<mark>{}</mark>", match[0]),),
        ]
        last = match.end()
    parts.append((conditional_escape(piece[last:]),))
    lead = "…" if start else ""
    return format_html("{}{}…", lead, format_html_join("", "{}", parts))
