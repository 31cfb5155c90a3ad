"""Coverage: what the service owes whom, until when, why, and what it would owe if."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.middleware import current_user
from accounts.models import Organisation, User
from accounts.paging import page_of
from accounts.roles import OrganisationKind, Permission
from entitlements.coverage import coverage_of, services_missing, targets_at, what_if
from entitlements.forms import WhatIfForm


@require_safe
def coverage(request: HttpRequest) -> HttpResponse:
    """One's own organisation; whoever serves several chooses one."""
    user = current_user(request)
    acting = user.acting
    if acting is not None and acting.organisation.kind == OrganisationKind.END_USER:
        return _coverage_page(request, user, acting.organisation)
    organisations = Organisation.objects.visible_to(user).filter(kind=OrganisationKind.END_USER)
    page = page_of(organisations, ("name", "pk"), request.GET)
    return render(request, "entitlements/coverage_choose.html", {"page": page})


@require_safe
def coverage_organisation(request: HttpRequest, slug: str) -> HttpResponse:
    user = current_user(request)
    organisations = Organisation.objects.visible_to(user).filter(kind=OrganisationKind.END_USER)
    return _coverage_page(request, user, get_object_or_404(organisations, slug=slug))


def _coverage_page(request: HttpRequest, user: User, organisation: Organisation) -> HttpResponse:
    now = timezone.now()
    acting = user.acting
    is_own = acting is not None and acting.organisation_id == organisation.pk
    context = {
        "organisation": organisation,
        "rows": coverage_of(organisation, user, now),
        "targets": targets_at(now),
        "missing": services_missing(organisation, now),
        "today": now.date(),
        "is_own": is_own,
        "is_partner": acting is not None and acting.organisation.is_partner,
        "may_ask": is_own and user.can(Permission.REQUEST_ASK),
        **_what_if(request, user, organisation),
    }
    return render(request, "entitlements/coverage.html", context)


def _what_if(request: HttpRequest, user: User, organisation: Organisation) -> dict[str, Any]:
    """The form, and its answer where something was asked. Nothing is written."""
    form = WhatIfForm(request.GET if "day" in request.GET else None, by=user, organisation=organisation)
    if not form.is_bound or not form.is_valid():
        return {"form": form}
    asked = form.cleaned_data
    answer = what_if(
        organisation=organisation,
        user=user,
        software=asked["software"],
        release=asked["release"],
        subject=asked["subject"],
        component=asked["component"],
        at=asked["at"],
    )
    target = next((row for row in answer.targets if row.priority == asked["priority"]), None)
    return {"form": form, "answer": answer, "asked": asked, "target": target}
