"""Exposure for JTAC: who runs what, under which contract, with how many open cases, and without which fix."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.middleware import current_user
from accounts.models import User
from accounts.paging import COUNT_LIMIT, Key, capped_count, page_of, part_of
from accounts.roles import Permission
from accounts.sheets import sheet
from contracts.exposure import FIXES, Exposed, exposed, in_drift, running, under_contract, without_fix
from contracts.models import Release, Software
from contracts.views.releases import release_or_404
from contracts.views.software import software_or_404

ORDER = (Key("organisation_name"), "pk")
SIZE = 50
CHUNK = 500
FIXES_OFFERED = 50


def _check(user: User) -> None:
    if not user.can(Permission.CONTRACT_VIEW_ALL):
        raise PermissionDenied(_("Only staff see who runs what."))


@require_safe
def exposure_software(request: HttpRequest, slug: str) -> HttpResponseBase:
    user = current_user(request)
    return _page(request, user, software_or_404(user, slug), None)


@require_safe
def exposure_release(request: HttpRequest, slug: str, version: str) -> HttpResponseBase:
    user = current_user(request)
    release = release_or_404(user, slug, version)
    return _page(request, user, release.software, release)


def _page(request: HttpRequest, user: User, software: Software, release: Release | None) -> HttpResponseBase:
    _check(user)
    now = timezone.now()
    fixes = list(
        Release.objects.visible_to(user)
        .published()
        .filter(software=software, kind__in=FIXES)
        .order_by("-sort_key", "-pk")[:FIXES_OFFERED]
    )
    rows = _filtered(request, running(software, release, user), fixes, now)
    if request.GET.get("format") == "csv":
        head = _head(user)
        return sheet(f"exposure-{software.slug}", head, _lines(rows, software, user, now), now)
    page = page_of(rows, ORDER, request.GET, size=SIZE)
    total = capped_count(rows, page)
    context: dict[str, Any] = {
        "software": software,
        "release": release,
        "rows": exposed(software, page.rows, user, now),
        "page": page,
        "total": total,
        "words": _lines_in_words(total),
        "contract_options": [("in_force", _("In force")), ("none", _("None in force"))],
        "drift_options": [("1", _("Drift"))],
        "may_instruct": user.can(Permission.RELEASE_INSTRUCT),
        "fixes": [(fix.version, fix.version) for fix in fixes],
        "sees_cases": user.can(Permission.CASE_VIEW_ALL),
        "is_filtered": any(request.GET.get(name) for name in ("lacks", "contract", "drift")),
    }
    return render(request, "contracts/exposure.html", context)


def _lines_in_words(total: int) -> str:
    if total > COUNT_LIMIT:
        return _("1,000+ lines")
    return ngettext("%(count)s line", "%(count)s lines", total) % {"count": f"{total:,}"}


def _filtered(request: HttpRequest, rows: Any, fixes: list[Release], now: datetime) -> Any:
    lacks = request.GET.get("lacks", "")
    if fix := next((fix for fix in fixes if fix.version == lacks), None):
        rows = without_fix(rows, fix)
    elif lacks:
        rows = rows.none()
    if request.GET.get("contract") in ("in_force", "none"):
        rows = under_contract(rows, now, covered=request.GET["contract"] == "in_force")
    return in_drift(rows) if request.GET.get("drift") == "1" else rows


def _head(user: User) -> list[str]:
    head = [
        _("End user"), _("Line"), _("Release"), _("Accepted (UTC)"), _("Contract"), _("Last covered day"),
        _("Drift since (UTC)"), _("Fixes not taken"), _("Asked to install"),
    ]  # fmt: skip
    return [*head, _("Open cases")] if user.can(Permission.CASE_VIEW_ALL) else head


def _lines(rows: Any, software: Software, user: User, now: datetime) -> Iterator[list[Any]]:
    after = ""
    while True:
        part = part_of(rows, ORDER, after=after, size=CHUNK)
        yield from (_line(one) for one in exposed(software, part.rows, user, now))
        if not part.older:
            return
        after = part.older


def _line(one: Exposed) -> list[Any]:
    row = one.acceptance
    line: list[Any] = [
        row.organisation.name,
        row.line.name,
        row.release.version,
        row.accepted_at,
        one.contract.number if one.contract else "",
        one.contract.last_covered_day if one.contract else "",
        one.drift.since if one.drift else "",
        ", ".join(fix.release.version for fix in one.fixes),
        ", ".join(fix.release.version for fix in one.fixes if fix.task),
    ]
    return line if one.open_cases is None else [*line, one.open_cases]
