"""Downloads: what one may fetch now, the gate in front of each file, and the licence to accept first."""

from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.middleware import current_user
from accounts.models import Membership, User
from accounts.paging import page_of
from accounts.roles import OrganisationKind, Permission
from contracts.actions.licence import accept_licence
from contracts.errors import ContractError
from contracts.models import GoverningDocument, LicenceAcceptance, Release, ReleaseFile
from entitlements.actions import grant_download
from entitlements.errors import DownloadRefused, LicenceNotAccepted, NotAllowed
from entitlements.models import Download
from entitlements.offers import licences_for, offers_of
from files.downloads import serve

PAGE = 20


@require_safe
def download_list(request: HttpRequest) -> HttpResponse:
    """Releases of the own software: what may be fetched now, and what not and why."""
    user = current_user(request)
    acting = _customer(user)
    releases = Release.objects.visible_to(user).published()
    wanted = request.GET.get("software", "")
    if wanted and "\0" not in wanted:
        releases = releases.filter(software__slug=wanted)
    releases = releases.select_related("software__licence", "line", "licence", "fixes")
    page = page_of(
        releases.prefetch_related("applies_to", "files__stored"),
        ("-published_at", "-pk"),
        request.GET,
        size=PAGE,
    )
    context = {
        "page": page,
        "offers": offers_of(page.rows, by=user, acting=acting, at=timezone.now()),
        "last": Download.objects.visible_to(user)
        .select_related("release_file__release__software", "membership__user")
        .order_by("-at", "-pk")[:10],
    }
    return render(request, "entitlements/downloads.html", context)


def _customer(user: User) -> Membership:
    acting = user.acting
    if acting is None or acting.organisation.kind != OrganisationKind.END_USER:
        raise PermissionDenied(_("Files are for the end user itself (C8)."))
    return acting


@require_safe
def download_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The bytes, or why not. Staff who make releases fetch them as they are, without a decision."""
    user = current_user(request)
    release_file = get_object_or_404(
        ReleaseFile.objects.select_related(
            "stored", "release__software__licence", "release__licence", "release__line"
        ),
        pk=pk,
        release__in=Release.objects.visible_to(user),
    )
    if release_file.stored is None:
        raise Http404
    if user.can(Permission.RELEASE_DRAFT):
        return serve(release_file.stored, request)
    try:
        grant_download(
            release_file=release_file, by=user, now=timezone.now(), is_fetched=request.method == "GET"
        )
    except NotAllowed as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except LicenceNotAccepted as refusal:
        address = reverse("licence_accept", args=[refusal.licence.pk])
        return redirect(f"{address}?next={quote(request.path)}")
    except DownloadRefused as refusal:
        context = {"release_file": release_file, "decision": refusal.decision, "record": refusal.record}
        return render(request, "entitlements/download_refused.html", context, status=403)
    return serve(release_file.stored, request)


@require_http_methods(["GET", "HEAD", "POST"])
def licence_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """The text of a licence that governs something of one's own, and the word that accepts it (C5)."""
    user = current_user(request)
    _customer(user)
    licence = get_object_or_404(licences_for(user), pk=pk)
    context: dict[str, Any] = {"licence": licence, "next": _next(request)}
    if request.method == "POST":
        try:
            accept_licence(licence=licence, by=user, now=timezone.now())
        except ContractError as refusal:
            return render(
                request, "entitlements/licence.html", {**context, "refusal": str(refusal)}, status=422
            )
        messages.success(request, _("%(licence)s is accepted.") % {"licence": str(licence)})
        return redirect(_next(request))
    context["acceptance"] = _acceptance(licence, user)
    return render(request, "entitlements/licence.html", context)


def _acceptance(licence: GoverningDocument, user: User) -> LicenceAcceptance | None:
    rows = LicenceAcceptance.objects.visible_to(user).filter(licence=licence)
    found: LicenceAcceptance | None = rows.select_related("accepted_by__user").first()
    return found


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/downloads/")
    return wanted if is_ours else "/downloads/"
