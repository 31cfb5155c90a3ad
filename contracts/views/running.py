"""What runs at end users: install tasks (C48), integrity checks (C42), drift (C43, C72)."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.middleware import current_user
from accounts.models import Organisation, User
from accounts.paging import page_of
from accounts.roles import Permission
from contracts import actions
from contracts.actions.install import today_in
from contracts.errors import ContractError
from contracts.exposure import under_contract, who_lacks
from contracts.forms.running import DoneForm, DriftForm, InstallForm, ReasonForm, VerifyForm, start_of
from contracts.integrity import Expected, prefix_of
from contracts.kinds import FileVerdict, InstallState, ReleaseState
from contracts.models import Acceptance, Drift, InstallTask, IntegrityCheck, Release
from contracts.views.releases import FIXES, release_or_404
from contracts.views.software import refused
from files.actions import FileRefused, take_in
from files.downloads import serve

FINDINGS_SHOWN = 500


def _check_may_instruct(user: User, message: str) -> None:
    if not user.can(Permission.RELEASE_INSTRUCT):
        raise PermissionDenied(message)


# Install tasks


def _tasks(user: User) -> Any:
    return InstallTask.objects.visible_to(user).select_related(
        "organisation", "software", "release", "created_by__user", "closed_by__user"
    )


@require_safe
def install_task_list(request: HttpRequest) -> HttpResponse:
    user, now = current_user(request), timezone.now()
    state = request.GET.get("state", InstallState.OPEN)
    tasks = _tasks(user)
    if state in InstallState.values:
        tasks = tasks.filter(state=state)
    page = page_of(tasks, ("due_on", "pk"), request.GET)
    context = {
        "rows": [(task, _is_overdue(task, now)) for task in page.rows],
        "page": page,
        "states": InstallState.choices,
        "state": state,
        "is_staff": user.can(Permission.CONTRACT_VIEW_ALL),
    }
    return render(request, "contracts/install_list.html", context)


def _is_overdue(task: InstallTask, now: Any) -> bool:
    """Its day is over where the end user is."""
    is_open: bool = task.state == InstallState.OPEN
    return is_open and task.due_on < today_in(task.organisation, now)


@require_safe
def install_task(request: HttpRequest, pk: int) -> HttpResponse:
    return _task_page(request, _task_or_404(current_user(request), pk))


def _task_or_404(user: User, pk: int) -> InstallTask:
    task: InstallTask = get_object_or_404(_tasks(user), pk=pk)
    return task


def _task_page(request: HttpRequest, task: InstallTask, status: int = 200, **forms: Any) -> HttpResponse:
    user, now = current_user(request), timezone.now()
    is_open = task.state == InstallState.OPEN
    is_own = user.acting is not None and user.acting.organisation_id == task.organisation_id
    context = {
        "task": task,
        "is_overdue": _is_overdue(task, now),
        "may_finish": is_open and is_own and user.can(Permission.RELEASE_ACCEPT),
        "may_cancel": is_open and user.can(Permission.RELEASE_INSTRUCT),
        "done_form": DoneForm(initial={"done_on": today_in(task.organisation, now)}),
        "cancel_form": ReasonForm(),
        "is_staff": user.can(Permission.CONTRACT_VIEW_ALL),
        "failed": next(iter(forms.values()), None),
    } | forms
    return render(request, "contracts/install_detail.html", context, status=status)


@require_POST
def install_task_done(request: HttpRequest, pk: int) -> HttpResponse:
    user = current_user(request)
    task = _task_or_404(user, pk)
    if not user.can(Permission.RELEASE_ACCEPT):
        raise PermissionDenied(_("Only a technical contact can say that it is installed."))
    form = DoneForm(request.POST)
    if form.is_valid():
        try:
            actions.finish_install_task(task=task, by=user, now=timezone.now(), **form.cleaned_data)
        except ContractError as refusal:
            refused(form, refusal)
        else:
            text = _("%(version)s is installed, and accepted.") % {"version": task.release.version}
            messages.success(request, text)
            return redirect("install_task", pk)
    return _task_page(request, task, done_form=form, status=422)


@require_POST
def install_task_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    user = current_user(request)
    task = _task_or_404(user, pk)
    _check_may_instruct(user, _("Only JTAC and Professional Services take a task back."))
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            actions.cancel_install_task(task=task, by=user, now=timezone.now(), **form.cleaned_data)
        except ContractError as refusal:
            refused(form, refusal)
        else:
            messages.success(request, _("The task is cancelled."))
            return redirect("install_task", pk)
    return _task_page(request, task, cancel_form=form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
def install_task_new(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    user = current_user(request)
    release = release_or_404(user, slug, version)
    _check_may_instruct(user, _("Only JTAC and Professional Services ask for an installation."))
    if release.state != ReleaseState.PUBLISHED or release.kind not in FIXES:
        messages.error(request, _("Only a published patch or update can be asked to be installed."))
        return redirect("release_detail", slug, version)
    lacking = Organisation.objects.visible_to(user).filter(pk__in=who_lacks(release).values("organisation"))
    lacking = lacking.order_by("name", "pk")
    # whoever has no contract in force can be asked too, but not by default: no download would follow
    covered = under_contract(who_lacks(release), timezone.now(), covered=True).values_list(
        "organisation", flat=True
    )
    initial = {"organisations": sorted(set(covered))}
    form = InstallForm(
        request.POST if request.method == "POST" else None, organisations=lacking, initial=initial
    )
    if form.is_valid():
        try:
            tasks = actions.ask_to_install(release=release, by=user, now=timezone.now(), **form.cleaned_data)
        except ContractError as refusal:
            refused(form, refusal)
        else:
            text = ngettext("%(count)d end user is asked.", "%(count)d end users are asked.", len(tasks))
            messages.success(request, text % {"count": len(tasks)})
            return redirect("release_detail", slug, version)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "release": release, "nobody": not lacking}
    return render(request, "contracts/install_new.html", context, status=status)


# Integrity checks


@require_http_methods(["GET", "HEAD", "POST"])
def release_verify(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    user = current_user(request)
    release = release_or_404(user, slug, version)
    if not user.can(Permission.RELEASE_VERIFY):
        raise PermissionDenied(_("Only contacts of the end user verify a release."))
    form = VerifyForm(request.POST if request.method == "POST" else None, request.FILES or None)
    if form.is_valid():
        try:
            check = _compared(form, release, user)
        except ContractError as refusal:
            refused(form, refusal)
        else:
            if form.found_prefix:
                text = _("Your paths begin with %(folder)s; it was cut off to compare them.")
                messages.info(request, text % {"folder": form.found_prefix})
            return redirect("integrity_check", check.pk)
    mine = Acceptance.objects.visible_to(user).filter(release=release)
    context = {
        "form": form,
        "release": release,
        "file_count": release.files.count(),
        "is_accepted": mine.filter(organisation=user.acting.organisation if user.acting else None).exists(),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "contracts/integrity_verify.html", context, status=status)


def _compared(form: VerifyForm, release: Release, user: User) -> IntegrityCheck:
    prefix = form.cleaned_data["folder"]
    if not prefix and form.reading:
        files = release.files.values_list("path", "sha256")
        prefix = prefix_of([Expected(path=path, sha256=sha256) for path, sha256 in files], form.reading.sums)
        form.found_prefix = prefix
    host = form.cleaned_data["host"]
    return actions.check_integrity(
        release=release, sums=form.sums_under(prefix), host=host, prefix=prefix, by=user, now=timezone.now()
    )


def _checks(user: User) -> Any:
    return IntegrityCheck.objects.visible_to(user).select_related(
        "organisation", "software", "release", "checked_by__user"
    )


def _drifts(user: User) -> Any:
    return Drift.objects.visible_to(user).select_related(
        "organisation", "software", "line", "release", "shown_by", "ended_by_check", "evidence_file",
        "recorded_by__user", "ended_by__user",
    )  # fmt: skip


@require_safe
def integrity_list(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    drifts = _drifts(user)
    context = {
        "page": page_of(_checks(user).defer("findings"), ("-checked_at", "-pk"), request.GET),
        "open_drifts": drifts.open().order_by("-since", "-pk")[:50],
        "ended_drifts": drifts.exclude(ended_at=None).order_by("-ended_at", "-pk")[:50],
        "is_staff": user.can(Permission.CONTRACT_VIEW_ALL),
        "may_end": user.can(Permission.RELEASE_INSTRUCT),
    }
    return render(request, "contracts/integrity_list.html", context)


@require_safe
def integrity_check(request: HttpRequest, pk: int) -> HttpResponse:
    user = current_user(request)
    check = get_object_or_404(_checks(user), pk=pk)
    notable = [one for one in check.findings if one["verdict"] != FileVerdict.INTACT]
    # what breaks the agreement first, then what changed as it may, then what is not ours
    notable.sort(key=lambda one: (not one["is_fixed"], one["verdict"] == FileVerdict.EXTRA, one["path"]))
    labels = dict(FileVerdict.choices)
    context = {
        "check": check,
        "rows": [(one, labels.get(one["verdict"], one["verdict"])) for one in notable[:FINDINGS_SHOWN]],
        "more": max(0, len(notable) - FINDINGS_SHOWN),
        "drift": _drifts(user)
        .filter(organisation=check.organisation, line=check.release.line_id)
        .open()
        .first(),
        "ended": _drifts(user).filter(ended_by_check=check).first(),
        "is_staff": user.can(Permission.CONTRACT_VIEW_ALL),
    }
    return render(request, "contracts/integrity_check.html", context)


# Drift


@require_http_methods(["GET", "HEAD", "POST"])
def drift_new(request: HttpRequest, slug: str) -> HttpResponse:
    user = current_user(request)
    organisation = get_object_or_404(Organisation.objects.visible_to(user), slug=slug)
    _check_may_instruct(user, _("Only JTAC and Professional Services record drift."))
    accepted = Acceptance.objects.visible_to(user).filter(organisation=organisation)
    releases = Release.objects.visible_to(user).filter(pk__in=accepted.values("release"))
    releases = releases.select_related("software").order_by("software__name", "-sort_key", "pk")
    form = DriftForm(
        request.POST if request.method == "POST" else None, request.FILES or None, releases=releases
    )
    if form.is_valid() and _recorded(form, organisation, user):
        messages.success(request, _("The drift is recorded."))
        return redirect("integrity_list")
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "organisation": organisation}
    return render(request, "contracts/integrity_drift.html", context, status=status)


def _recorded(form: DriftForm, organisation: Organisation, user: User) -> bool:
    now, values = timezone.now(), form.cleaned_data
    try:
        with transaction.atomic():
            sent = [values["evidence_file"]] if values["evidence_file"] else []
            stored = take_in(sent=sent, by=user, now=now)
            actions.record_drift(
                organisation=organisation,
                release=values["release"],
                since=start_of(values["since"], organisation),
                evidence=values["evidence"],
                evidence_file=stored[0] if stored else None,
                by=user,
                now=now,
            )
    except FileRefused as refusal:
        form.add_error("evidence_file", str(refusal))
    except ContractError as refusal:
        refused(form, refusal)
    return form.is_valid()


@require_http_methods(["GET", "HEAD", "POST"])
def drift_end(request: HttpRequest, pk: int) -> HttpResponse:
    user = current_user(request)
    drift = get_object_or_404(_drifts(user), pk=pk)
    _check_may_instruct(user, _("Only JTAC and Professional Services decide about drift."))
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            actions.end_drift(drift=drift, by=user, now=timezone.now(), **form.cleaned_data)
        except ContractError as refusal:
            refused(form, refusal)
        else:
            messages.success(request, _("The drift is ended."))
            return redirect("integrity_list")
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "drift": drift}
    return render(request, "contracts/integrity_end.html", context, status=status)


@require_safe
def drift_evidence(request: HttpRequest, pk: int) -> HttpResponseBase:
    drift = get_object_or_404(_drifts(current_user(request)).exclude(evidence_file=None), pk=pk)
    return serve(drift.evidence_file, request)
