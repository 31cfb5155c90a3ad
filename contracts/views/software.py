"""`/software/`: what was made for whom under which statement of work, its releases and its defects."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.middleware import current_user
from accounts.models import User
from accounts.paging import page_of
from accounts.roles import Permission
from contracts import actions
from contracts.errors import ContractError
from contracts.forms.software import DefectForm, SoftwareForm
from contracts.models import Acceptance, Defect, Release, Software


def acceptances(user: User) -> Any:
    """Acceptances that the person may see, with all that a page names of them."""
    return Acceptance.objects.visible_to(user).select_related(
        "release", "line", "organisation", "accepted_by__user"
    )


def is_partner(user: User) -> bool:
    return user.acting is not None and user.acting.organisation.is_partner


def software_or_404(user: User, slug: str) -> Software:
    return get_object_or_404(Software.objects.visible_to(user).select_related("licence"), slug=slug)


def refused(form: Any, refusal: ContractError) -> None:
    """The refusal beside the field that caused it."""
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))


@require_safe
def software_list(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    current = acceptances(user).current().order_by("line__name", "pk")
    software = Software.objects.visible_to(user).prefetch_related(
        Prefetch("acceptances", queryset=current, to_attr="current")
    )
    context = {
        "page": page_of(software, ("name", "pk"), request.GET),
        "shows_current": not user.can(Permission.CONTRACT_VIEW_ALL) and not is_partner(user),
        "is_staff": user.can(Permission.CONTRACT_VIEW_ALL),
        "may_register": user.can(Permission.RELEASE_PUBLISH),
    }
    return render(request, "contracts/software_list.html", context)


@require_safe
def software_detail(request: HttpRequest, slug: str) -> HttpResponse:
    user = current_user(request)
    software = software_or_404(user, slug)
    releases = Release.objects.visible_to(user).filter(software=software).select_related("line", "fixes")
    own = Acceptance.objects.visible_to(user).filter(
        software=software, organisation=user.acting.organisation if user.acting else None
    )
    accepted = dict(own.values_list("release_id", "superseded_at"))
    is_staff = user.can(Permission.CONTRACT_VIEW_ALL)
    context = {
        "software": software,
        "page": page_of(releases, ("-sort_key", "-pk"), request.GET),
        "accepted": accepted,
        "current": {release for release, superseded_at in accepted.items() if superseded_at is None},
        "history": own.select_related("release", "line", "accepted_by__user").order_by("-accepted_at", "-pk"),
        "end_users": software.end_users.order_by("name", "pk") if is_staff else (),
        "may_draft": user.can(Permission.RELEASE_DRAFT),
        "may_edit": user.can(Permission.RELEASE_PUBLISH),
        "is_staff": is_staff,
    }
    return render(request, "contracts/software_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def software_new(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    if not user.can(Permission.RELEASE_PUBLISH):
        raise PermissionDenied(_("Only Professional Services register software."))
    form = SoftwareForm(request.POST if request.method == "POST" else None, by=user)
    if form.is_valid():
        try:
            software = actions.register_software(**form.cleaned_data, by=user, now=timezone.now())
        except ContractError as refusal:
            refused(form, refusal)
        else:
            messages.success(request, _("%(name)s is registered.") % {"name": software.name})
            return redirect("software_detail", software.slug)
    status = 422 if request.method == "POST" else 200
    return render(request, "contracts/software_form.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def software_edit(request: HttpRequest, slug: str) -> HttpResponse:
    user = current_user(request)
    software = software_or_404(user, slug)
    if not user.can(Permission.RELEASE_PUBLISH):
        raise PermissionDenied(_("Only Professional Services change software."))
    form = SoftwareForm(request.POST if request.method == "POST" else None, by=user, software=software)
    if form.is_valid():
        try:
            actions.change_software(software=software, **form.cleaned_data, by=user, now=timezone.now())
        except ContractError as refusal:
            refused(form, refusal)
        else:
            messages.success(request, _("The changes are kept."))
            return redirect("software_detail", slug)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "software": software}
    return render(request, "contracts/software_form.html", context, status=status)


# Defects


@require_http_methods(["GET", "HEAD", "POST"])
def defect_list(request: HttpRequest, slug: str) -> HttpResponse:
    user = current_user(request)
    software = software_or_404(user, slug)
    if request.method == "POST" and not user.can(Permission.RELEASE_DRAFT):
        raise PermissionDenied(_("You may not record defects."))
    form = DefectForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and _registered(form, software, user):
        messages.success(
            request, _("Defect %(number)s is recorded.") % {"number": form.cleaned_data["number"]}
        )
        return redirect("defect_list", slug)
    fixes = Release.objects.visible_to(user).filter(software=software).order_by("-sort_key", "-pk")
    defects = Defect.objects.filter(software=software).prefetch_related(
        Prefetch("fixed_by", queryset=fixes, to_attr="fixes")
    )
    context = {
        "software": software,
        "page": page_of(defects, ("-created_at", "-pk"), request.GET),
        "form": form,
        "may_draft": user.can(Permission.RELEASE_DRAFT),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "contracts/software_defects.html", context, status=status)


def _registered(form: DefectForm, software: Software, user: User) -> bool:
    if Defect.objects.filter(number=form.cleaned_data["number"]).exists():
        form.add_error("number", _("A defect of this number is recorded already."))
        return False
    try:
        actions.register_defect(software=software, **form.cleaned_data, by=user, now=timezone.now())
    except ContractError as refusal:
        refused(form, refusal)
        return False
    return True


@require_http_methods(["GET", "HEAD", "POST"])
def defect_edit(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    user = current_user(request)
    software = software_or_404(user, slug)
    defect = get_object_or_404(Defect, software=software, pk=pk)
    if not user.can(Permission.RELEASE_DRAFT):
        raise PermissionDenied(_("You may not change defects."))
    initial = {"number": defect.number, "title": defect.title, "workaround": defect.workaround}
    form = DefectForm(request.POST if request.method == "POST" else None, initial=initial)
    form.fields["number"].disabled = True
    if form.is_valid():
        title, workaround = form.cleaned_data["title"], form.cleaned_data["workaround"]
        actions.change_defect(defect=defect, title=title, workaround=workaround, by=user, now=timezone.now())
        messages.success(request, _("The changes are kept."))
        return redirect("defect_list", slug)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "software": software, "defect": defect}
    return render(request, "contracts/software_defect.html", context, status=status)
