"""`/cases/<number>/`: the case, its story, what may be done to it; and its files."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.middleware import current_user
from accounts.models import User
from accounts.roles import Permission
from cases.forms import TalkForm
from cases.models import Attachment, Case, CaseEvent, CaseQuerySet, Watcher
from cases.receipts import Step, ladders_of
from cases.timeline import timeline
from cases.views.acts import ACCEPT, DENY, REJECT, offers
from cases.views.story import Entry, entries, ladder_line
from cases.workflow import CaseState, EventKind
from contracts.models import Release
from entitlements.decision import explain
from entitlements.kinds import HIGH
from files.downloads import serve
from notifications.actions import mark_opened

SHOWN: Final = 200
_ANSWERS: Final = {EventKind.REPLY, EventKind.RESOLUTION_PROPOSED}
TURNS: Final = {CaseState.CUSTOMER_PENDING, CaseState.RESOLUTION_PROPOSED}


def cases_for_page(user: User) -> CaseQuerySet:
    """Cases with everything the page shows of the row itself, in one query."""
    watchers = Watcher.objects.filter(case=OuterRef("pk")).order_by("membership__user__name")
    fixes = Release.objects.visible_to(user).published().filter(applies_to=OuterRef("release_id"))
    cases = Case.objects.visible_to(user).for_page().defer("decision__facts", "decision__request")
    return cases.annotate(
        watcher_names=ArraySubquery(watchers.values("membership__user__name")),
        fixes=ArraySubquery(fixes.order_by("-sort_key").values("version")[:3]),
    )


@require_safe
def case_detail(request: HttpRequest, number: str) -> HttpResponse:
    user, now = current_user(request), timezone.now()
    case = get_object_or_404(cases_for_page(user), number=number)
    mark_opened(by=user, now=now, subject=case.subject)
    return show(request, case, user, now)


def show(
    request: HttpRequest,
    case: Case,
    user: User,
    now: datetime,
    *,
    typed: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of a case; `typed` is what the composer is to keep."""
    rows, has_earlier = _events(request, case, user)
    steps = ladders_of([case], user).get(case.pk, [])
    first, more = offers(case, user)
    story = entries(case, rows, user)
    context = {
        "case": case,
        "entries": story,
        "has_earlier": has_earlier,
        "seen": rows[-1].pk if rows else 0,
        "steps": steps,
        "my_alert": next((alert for step in steps if (alert := step.alert_for(user))), None),
        "backup": _("confirmed by %(name)s") % {"name": case.backup_confirmed_by.user.name},
        "line": _line(case, steps, user),
        "clocks": _clocks(case, rows, now),
        "coverage": explain(case.decision.answer),
        "offers": first,
        "more_offers": more,
        "now": now,
        **_reader(case, user),
        "upload": TalkForm()["files"],
        **(typed or {}),
    }
    return render(request, "cases/detail.html", context, status=status)


def _events(request: HttpRequest, case: Case, user: User) -> tuple[list[CaseEvent], bool]:
    """The entries to show, oldest first: the last ones, unless all are asked for."""
    found = timeline(case, user)
    if request.GET.get("entries") == "all":
        return list(found), False
    rows = list(found.order_by("-at", "-pk")[: SHOWN + 1])
    return rows[:SHOWN][::-1], len(rows) > SHOWN


def _reader(case: Case, user: User) -> dict[str, Any]:
    """Who reads, and what it is to them."""
    is_staff = user.can(Permission.CASE_VIEW_ALL)
    return {
        "is_staff": is_staff,
        "may_note": user.can(Permission.CASE_TRIAGE),
        "may_reply": case.is_open and user.can(Permission.CASE_REPLY),
        "is_my_turn": not is_staff and case.state in TURNS,
        "answers": [act for act in (ACCEPT, REJECT) if act.is_offered(case, user)] if not is_staff else [],
        "may_deny": not is_staff and DENY.is_offered(case, user),
    }


def _line(case: Case, steps: Sequence[Step], user: User) -> Any:
    """The banner's words while a P1 or P2 burns."""
    if case.priority not in HIGH or not case.is_open or case.restored_at is not None:
        return None
    return ladder_line(steps, user.can(Permission.CASE_VIEW_ALL))


def _clocks(case: Case, rows: Sequence[CaseEvent], now: datetime) -> dict[str, Any]:
    """What the targets panel shows besides the columns of the case."""
    paused = case.pending_reason if case.state == CaseState.CUSTOMER_PENDING else ""
    answers = [row.at for row in rows if row.kind in _ANSWERS and row.by and row.by.organisation.is_vendor]
    return {
        "paused": paused,
        "update_due_at": case.update_due_at if case.is_open and (paused or case.state not in TURNS) else None,
        "update_from": max(answers, default=case.opened_at),
        "down": (case.restored_at or case.closed_at or now) - case.opened_at,
    }


def changes_since(case: Case, user: User, seen: int) -> list[Entry]:
    """What has come to the timeline since the entry `seen`, as far as this person may read it."""
    return entries(case, timeline(case, user).filter(pk__gt=seen)[:20], user)


@require_safe
def case_file(request: HttpRequest, number: str, file: UUID) -> HttpResponseBase:
    user = current_user(request)
    files = Attachment.objects.visible_to(user).select_related("stored")
    attachment = get_object_or_404(files, case__number=number, stored_id=file)
    return serve(attachment.stored, request)
