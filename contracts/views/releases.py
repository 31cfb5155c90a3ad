"""`/software/<slug>/<version>/`: one release; drafting, changing, publishing, withdrawing and accepting it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.middleware import current_user
from accounts.models import User
from accounts.paging import page_of
from accounts.prose import prose
from accounts.roles import Permission
from contracts import actions
from contracts.errors import ContractError
from contracts.forms.release import AcceptForm, PublishForm, ReleaseForm, WithdrawForm, initial_of
from contracts.integrity import manifest_digest, manifest_text
from contracts.kinds import ReleaseKind, ReleaseState
from contracts.models import InstallTask, Release, Software
from contracts.receipts import counts_for, receipts_of
from contracts.versions import InvalidVersion
from contracts.views.software import acceptances, refused, software_or_404
from files.actions import FileRefused

FIXES = (ReleaseKind.PATCH, ReleaseKind.UPDATE)
RECEIPTS_SHOWN = 100
FILES_SHOWN = 200


def release_or_404(user: User, slug: str, version: str) -> Release:
    releases = Release.objects.visible_to(user).select_related(
        "software",
        "software__licence",
        "licence",
        "line",
        "fixes",
        "published_by__user",
        "withdrawn_by__user",
    )
    return get_object_or_404(releases, software__slug=slug, version=version)


@require_safe
def release_detail(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    return _release_page(request, release_or_404(current_user(request), slug, version))


def _release_page(request: HttpRequest, release: Release, status: int = 200, **forms: Any) -> HttpResponse:
    user = current_user(request)
    accepted = acceptances(user).filter(release=release).order_by("accepted_at", "pk")
    own = [a for a in accepted if user.acting and a.organisation_id == user.acting.organisation_id]
    is_staff = user.can(Permission.CONTRACT_VIEW_ALL)
    context: dict[str, Any] = {
        "release": release,
        "notes": prose(release.notes) if release.notes else "",
        "components": release.components.order_by("name", "version", "pk"),
        "licence": release.licence or release.software.licence,
        "applies_to": release.applies_to.order_by("-sort_key", "pk"),
        "contains": release.contains.order_by("-sort_key", "pk"),
        "acceptances": accepted if is_staff else own,
        "own": own[0] if own else None,
        "is_staff": is_staff,
        "is_told": release.kind in FIXES and is_staff and release.state != ReleaseState.DRAFT,
        "failed": next((form for form in forms.values() if form.errors), None),
    }
    context |= _files(release) | _verbs(release, user, own) | forms
    if context["is_told"]:
        context["receipts"] = page_of(receipts_of(release), ("pk",), request.GET, size=RECEIPTS_SHOWN)
        context["counts"] = counts_for([release]).get(release.pk)
    return render(request, "contracts/release_detail.html", context, status=status)


def _files(release: Release) -> dict[str, Any]:
    """The manifest, and where each stored file is fetched: the download gate is an app above."""
    files = list(release.files.select_related("stored").order_by("path", "pk"))
    return {
        "files": [(file, _download(file) if file.stored_id else "") for file in files[:FILES_SHOWN]],
        "more_files": max(0, len(files) - FILES_SHOWN),
        "file_count": len(files),
        "digest": manifest_digest((file.path, file.sha256) for file in files),
    }


def _download(file: Any) -> str:
    try:
        return reverse("download", args=[file.pk])
    except NoReverseMatch:
        return ""


def _verbs(release: Release, user: User, own: list[Any]) -> dict[str, Any]:
    is_draft = release.state == ReleaseState.DRAFT
    is_published = release.state == ReleaseState.PUBLISHED
    tasks = InstallTask.objects.visible_to(user).filter(release=release)
    return {
        "may_accept": is_published and not own and user.can(Permission.RELEASE_ACCEPT),
        "may_verify": not is_draft and user.can(Permission.RELEASE_VERIFY),
        "may_edit": is_draft and user.can(Permission.RELEASE_DRAFT),
        "may_publish": is_draft and user.can(Permission.RELEASE_PUBLISH),
        "may_withdraw": is_published and user.can(Permission.RELEASE_PUBLISH),
        "may_ask": is_published and release.kind in FIXES and user.can(Permission.RELEASE_INSTRUCT),
        "publish_form": PublishForm(),
        "withdraw_form": WithdrawForm(),
        "accept_form": AcceptForm(),
        "problems": actions.unpublishable(release) if is_draft else (),
        "needs_confirmation": release.kind == ReleaseKind.UPDATE and not release.has_no_new_features,
        "tasks": () if is_draft else tasks.select_related("organisation").order_by("due_on", "pk")[:20],
    }


@require_safe
def release_manifest(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """The manifest as `sha256sum` writes it, for `sha256sum --check` on the machine itself."""
    release = release_or_404(current_user(request), slug, version)
    text = manifest_text(release.files.values_list("path", "sha256"))
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="SHA256SUMS"'
    return response


@require_POST
def release_accept(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    user = current_user(request)
    release = release_or_404(user, slug, version)
    if not user.can(Permission.RELEASE_ACCEPT):
        raise PermissionDenied(_("Only a technical contact can accept a release."))
    shown = request.POST.get("manifest_sha256")
    try:
        actions.accept_release(release=release, manifest_sha256=shown, by=user, now=timezone.now())
    except ContractError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("%(version)s is accepted.") % {"version": version})
    return redirect("release_detail", slug, version)


@require_POST
def release_publish(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    user = current_user(request)
    release = release_or_404(user, slug, version)
    if not user.can(Permission.RELEASE_PUBLISH):
        raise PermissionDenied(_("Only Professional Services publish releases."))
    form = PublishForm(request.POST)
    if form.is_valid():
        try:
            actions.publish_release(release=release, by=user, now=timezone.now(), **form.cleaned_data)
        except ContractError as refusal:
            refused(form, refusal)
        else:
            messages.success(request, _("%(version)s is published.") % {"version": version})
            return redirect("release_detail", slug, version)
    return _release_page(request, release, publish_form=form, status=422)


@require_POST
def release_withdraw(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    user = current_user(request)
    release = release_or_404(user, slug, version)
    if not user.can(Permission.RELEASE_PUBLISH):
        raise PermissionDenied(_("Only Professional Services withdraw releases."))
    form = WithdrawForm(request.POST)
    if form.is_valid():
        try:
            actions.withdraw_release(release=release, by=user, now=timezone.now(), **form.cleaned_data)
        except ContractError as refusal:
            refused(form, refusal)
        else:
            messages.success(request, _("%(version)s is withdrawn.") % {"version": version})
            return redirect("release_detail", slug, version)
    return _release_page(request, release, withdraw_form=form, status=422)


# Drafts


@require_http_methods(["GET", "HEAD", "POST"])
def release_new(request: HttpRequest, slug: str) -> HttpResponse:
    user = current_user(request)
    software = software_or_404(user, slug)
    _check_may_draft(user)
    form = ReleaseForm(
        request.POST if request.method == "POST" else None,
        request.FILES or None,
        software=software,
        releases=_offered(user, software),
    )
    draft = _draft(form, user) if form.is_valid() else None
    if draft is not None:
        messages.success(
            request, _("%(version)s is drafted. Nobody is told yet.") % {"version": draft.version}
        )
        return redirect("release_detail", slug, draft.version)
    return _draft_page(request, form, software)


@require_http_methods(["GET", "HEAD", "POST"])
def release_edit(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    user = current_user(request)
    release = release_or_404(user, slug, version)
    _check_may_draft(user)
    if release.state != ReleaseState.DRAFT:
        messages.error(request, _("The release is not a draft any more."))
        return redirect("release_detail", slug, version)
    offered = _offered(user, release.software).exclude(pk=release.pk)
    form = ReleaseForm(
        request.POST if request.method == "POST" else None,
        request.FILES or None,
        initial=initial_of(release),
        software=release.software,
        releases=offered,
    )
    draft = _draft(form, user, release) if form.is_valid() else None
    if draft is not None:
        messages.success(request, _("The draft is kept."))
        return redirect("release_detail", slug, draft.version)
    return _draft_page(request, form, release.software, release)


def _check_may_draft(user: User) -> None:
    if not user.can(Permission.RELEASE_DRAFT):
        raise PermissionDenied(_("You may not draft releases."))


def _offered(user: User, software: Software) -> Any:
    releases = Release.objects.visible_to(user).filter(software=software)
    return releases.exclude(state=ReleaseState.DRAFT).order_by("-sort_key", "pk")


def _draft_page(
    request: HttpRequest, form: ReleaseForm, software: Software, release: Release | None = None
) -> HttpResponse:
    lines = software.lines.order_by("name")
    context = {"form": form, "software": software, "release": release, "lines": lines}
    status = 422 if request.method == "POST" else 200
    return render(request, "contracts/release_new.html", context, status=status)


def _draft(form: ReleaseForm, user: User, release: Release | None = None) -> Release | None:
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
            if release is not None:
                return actions.change_draft(release=release, fixes=fixes, by=user, now=now, **values)
            return actions.draft_release(software=form.software, fixes=fixes, by=user, now=now, **values)
    except InvalidVersion as refusal:
        form.add_error("version", str(refusal))
    except FileRefused as refusal:
        form.add_error("uploads", str(refusal))
    except ContractError as refusal:
        refused(form, refusal)
    return None
