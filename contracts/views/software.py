"""`/software/`: what was made for whom, its releases, and drafting, publishing and accepting one."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.middleware import current_user
from accounts.models import User
from accounts.prose import prose
from accounts.roles import Permission
from contracts import actions
from contracts.errors import ContractError
from contracts.forms import PublishForm, ReleaseForm
from contracts.kinds import ReleaseKind, ReleaseState
from contracts.models import Acceptance, Release, Software
from contracts.paging import page_of
from contracts.receipts import counts_for, receipts_of
from contracts.versions import InvalidVersion

FIXES = (ReleaseKind.PATCH, ReleaseKind.UPDATE)
RECEIPTS_SHOWN = 100


def _acceptances(user: User) -> Any:
    return Acceptance.objects.visible_to(user).select_related(
        "release", "line", "organisation", "accepted_by__user"
    )


@require_safe
def software_list(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    current = _acceptances(user).current().order_by("line__name", "pk")
    software = Software.objects.visible_to(user).prefetch_related(
        Prefetch("acceptances", queryset=current, to_attr="current")
    )
    context = {
        "page": page_of(software, ("name", "pk"), request.GET),
        "shows_current": not user.can(Permission.CONTRACT_VIEW_ALL) and not _is_partner(user),
    }
    return render(request, "contracts/software_list.html", context)


def _is_partner(user: User) -> bool:
    return user.acting is not None and user.acting.organisation.is_partner


def _software(user: User, slug: str) -> Software:
    return get_object_or_404(Software.objects.visible_to(user), slug=slug)


@require_safe
def software_detail(request: HttpRequest, slug: str) -> HttpResponse:
    user = current_user(request)
    software = _software(user, slug)
    releases = Release.objects.visible_to(user).filter(software=software).select_related("line", "fixes")
    own = Acceptance.objects.visible_to(user).filter(
        software=software, organisation=user.acting.organisation if user.acting else None
    )
    accepted = dict(own.values_list("release_id", "superseded_at"))
    context = {
        "software": software,
        "page": page_of(releases, ("-sort_key", "-pk"), request.GET),
        "accepted": accepted,
        "current": {release for release, superseded_at in accepted.items() if superseded_at is None},
        "may_draft": user.can(Permission.RELEASE_DRAFT),
        "is_staff": user.can(Permission.CONTRACT_VIEW_ALL),
    }
    return render(request, "contracts/software_detail.html", context)


# One release


def _release(user: User, slug: str, version: str) -> Release:
    releases = Release.objects.visible_to(user).select_related(
        "software", "software__licence", "line", "fixes", "published_by__user"
    )
    return get_object_or_404(releases, software__slug=slug, version=version)


@require_safe
def release_detail(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    return _release_page(request, _release(current_user(request), slug, version))


def _release_page(
    request: HttpRequest, release: Release, publish: PublishForm | None = None, status: int = 200
) -> HttpResponse:
    user = current_user(request)
    acceptances = _acceptances(user).filter(release=release).order_by("accepted_at", "pk")
    own = [a for a in acceptances if user.acting and a.organisation_id == user.acting.organisation_id]
    is_published = release.state == ReleaseState.PUBLISHED
    is_staff = user.can(Permission.CONTRACT_VIEW_ALL)
    context: dict[str, Any] = {
        "release": release,
        "notes": prose(release.notes) if release.notes else "",
        "files": release.files.order_by("path", "pk"),
        "applies_to": release.applies_to.order_by("-sort_key", "pk"),
        "contains": release.contains.order_by("-sort_key", "pk"),
        "acceptances": acceptances if is_staff else own,
        "own": own[0] if own else None,
        "is_staff": is_staff,
        "may_accept": is_published and not own and user.can(Permission.RELEASE_ACCEPT),
        "may_publish": release.state == ReleaseState.DRAFT and user.can(Permission.RELEASE_PUBLISH),
        "publish_form": publish or PublishForm(),
        "failed": publish,
        "needs_confirmation": release.kind == ReleaseKind.UPDATE and not release.has_no_new_features,
        "is_told": release.kind in FIXES and is_staff and release.state != ReleaseState.DRAFT,
    }
    if context["is_told"]:
        context["receipts"] = page_of(receipts_of(release), ("pk",), request.GET, size=RECEIPTS_SHOWN)
        context["counts"] = counts_for([release]).get(release.pk)
    return render(request, "contracts/release_detail.html", context, status=status)


@require_POST
def release_accept(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    user = current_user(request)
    release = _release(user, slug, version)
    if not user.can(Permission.RELEASE_ACCEPT):
        raise PermissionDenied(_("Only a technical contact can accept a release."))
    try:
        actions.accept_release(release=release, by=user, now=timezone.now())
    except ContractError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("%(version)s is now your accepted release.") % {"version": version})
    return redirect("release_detail", slug, version)


@require_POST
def release_publish(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    user = current_user(request)
    release = _release(user, slug, version)
    if not user.can(Permission.RELEASE_PUBLISH):
        raise PermissionDenied(_("Only Professional Services publish releases."))
    form = PublishForm(request.POST)
    if form.is_valid():
        try:
            actions.publish_release(release=release, by=user, now=timezone.now(), **form.cleaned_data)
        except ContractError as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            messages.success(request, _("%(version)s is published.") % {"version": version})
            return redirect("release_detail", slug, version)
    return _release_page(request, release, publish=form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
def release_new(request: HttpRequest, slug: str) -> HttpResponse:
    user = current_user(request)
    software = _software(user, slug)
    if not user.can(Permission.RELEASE_DRAFT):
        raise PermissionDenied(_("You may not draft releases."))
    releases = Release.objects.visible_to(user).filter(software=software)
    offered = releases.exclude(state=ReleaseState.DRAFT).order_by("-sort_key", "pk")
    form = ReleaseForm(request.POST or None, software=software, releases=offered)
    draft = _draft(form, user) if form.is_valid() else None
    if draft is not None:
        messages.success(
            request, _("%(version)s is drafted. Nobody is told yet.") % {"version": draft.version}
        )
        return redirect("release_detail", slug, draft.version)
    context = {"form": form, "software": software, "lines": software.lines.order_by("name")}
    status = 422 if request.method == "POST" else 200
    return render(request, "contracts/release_new.html", context, status=status)


def _draft(form: ReleaseForm, user: User) -> Release | None:
    now = timezone.now()
    values = dict(form.cleaned_data)
    number, title = values.pop("defect_number"), values.pop("defect_title")
    try:
        with transaction.atomic():
            fixes = None
            if number:
                fixes = actions.register_defect(
                    software=form.software, number=number, title=title, by=user, now=now
                )
            return actions.draft_release(software=form.software, fixes=fixes, by=user, now=now, **values)
    except InvalidVersion as refusal:
        form.add_error("version", str(refusal))
    except ContractError as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
    return None
