"""Notices: what was published, and who was told."""

from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.middleware import current_user
from accounts.models import User
from accounts.paging import page_of
from accounts.roles import OrganisationKind, Permission
from contracts.models import Release
from contracts.receipts import counts_for
from entitlements.kinds import Purpose
from entitlements.models import DecisionRecord
from entitlements.notices import TOLD_KINDS
from notifications.models import Message


@require_safe
def notice_list(request: HttpRequest) -> HttpResponse:
    """End users: what they were told about. Everybody else: what was published, and for staff how far it got."""
    user = current_user(request)
    releases = Release.objects.visible_to(user).published().filter(kind__in=TOLD_KINDS)
    acting = user.acting
    is_end_user = acting is not None and acting.organisation.kind == OrganisationKind.END_USER
    if is_end_user:
        told = DecisionRecord.objects.visible_to(user).filter(purpose=Purpose.NOTICE, is_granted=True)
        releases = releases.filter(Exists(told.filter(release=OuterRef("pk"))))
    page = page_of(
        releases.select_related("software", "line", "fixes"), ("-published_at", "-pk"), request.GET
    )
    is_staff = user.can(Permission.CONTRACT_VIEW_ALL)
    context: dict[str, Any] = {
        "is_end_user": is_end_user,
        "is_staff": is_staff,
        "page": page,
        "rows": _with_reach(page.rows, user, is_staff=is_staff),
    }
    return render(request, "entitlements/notice_list.html", context)


def _with_reach(releases: list[Release], user: User, *, is_staff: bool) -> list[tuple[Release, Any, Any]]:
    """Each release with its counts (staff), and the reader's own message if there is one."""
    counts = counts_for(releases) if is_staff else {}
    subjects = [release.subject for release in releases]
    own = Message.objects.visible_to(user).filter(subject__in=subjects).prefetch_related("deliveries")
    mine = {message.subject: message for message in own}
    return [(release, counts.get(release.pk), mine.get(release.subject)) for release in releases]
