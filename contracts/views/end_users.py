"""`/contracts/end-users/`: new end users that partners have named, and what staff decide about them (C8, C9)."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.export_control import CountryExcluded
from accounts.middleware import current_user
from accounts.paging import page_of
from accounts.roles import Permission
from contracts import actions
from contracts.duplicates import look_alikes
from contracts.errors import ContractError
from contracts.forms.contract import ConfirmForm, MergeForm, ReasonForm, TakeOnForm
from contracts.kinds import RequestState
from contracts.models import EndUserRequest, ServiceContract
from contracts.views.registration import blame, may_register


@require_safe
def end_user_list(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    state = request.GET.get("state", "")
    rows = EndUserRequest.objects.visible_to(user).select_related("organisation", "partner", "duplicate_of")
    if state in RequestState.values:
        rows = rows.filter(state=state)
    context = {
        "page": page_of(rows, ("-requested_at", "-pk"), request.GET),
        "states": RequestState.choices,
        "state": state,
        "decides": user.can(Permission.CONTRACT_APPROVE),
        "may_register": may_register(user),
    }
    return render(request, "contracts/end_user_list.html", context)


def _visible(request: HttpRequest, pk: int) -> EndUserRequest:
    rows = EndUserRequest.objects.visible_to(current_user(request)).select_related(
        "organisation", "partner", "requested_by__user", "decided_by__user", "duplicate_of"
    )
    return get_object_or_404(rows, pk=pk)


@require_safe
def end_user_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _visible(request, pk))


def _page(
    request: HttpRequest, asked: EndUserRequest, failed: forms.Form | None = None, status: int = 200
) -> HttpResponse:
    user = current_user(request)
    decides = user.can(Permission.CONTRACT_APPROVE) and asked.state == RequestState.WAITING
    contracts = ServiceContract.objects.visible_to(user).filter(end_user=asked.organisation_id)
    context: dict[str, Any] = {
        "asked": asked,
        "decides": decides,
        "contracts": contracts.select_related("software").order_by("-pk")[:50],
        "failed": failed,
    }
    if decides:
        context |= {
            "look_alikes": look_alikes(asked),
            "take_on": failed if isinstance(failed, TakeOnForm) else TakeOnForm(),
            "merge": failed if isinstance(failed, MergeForm) else MergeForm(request=asked, by=user),
            "refuse": failed if isinstance(failed, ReasonForm) else ReasonForm(),
        }
    return render(request, "contracts/end_user_detail.html", context, status=status)


def _decided(
    request: HttpRequest, asked: EndUserRequest, form: forms.Form, act: Callable[..., Any], done: str
) -> HttpResponse:
    """One decision, or the page again with what stands in its way."""
    if form.is_valid():
        try:
            act(request=asked, by=current_user(request), now=timezone.now(), **form.cleaned_data)
        except CountryExcluded as refusal:
            form.add_error(None, str(refusal))
        except ContractError as refusal:
            blame(form, refusal)
        else:
            messages.success(request, done % {"name": asked.organisation.name})
            return redirect("end_user_list")
    return _page(request, _visible(request, asked.pk), failed=form, status=422)


def _deciding(request: HttpRequest, pk: int) -> EndUserRequest:
    asked = _visible(request, pk)
    if not current_user(request).can(Permission.CONTRACT_APPROVE):
        raise PermissionDenied(_("You may not decide about new end users."))
    return asked


@require_POST
def end_user_take_on(request: HttpRequest, pk: int) -> HttpResponse:
    asked = _deciding(request, pk)
    done = _("%(name)s is taken on; its contact is invited.")
    return _decided(request, asked, TakeOnForm(request.POST), actions.take_on_end_user, done)


@require_POST
def end_user_merge(request: HttpRequest, pk: int) -> HttpResponse:
    asked = _deciding(request, pk)
    form = MergeForm(request.POST, request=asked, by=current_user(request))
    return _decided(request, asked, form, actions.merge_end_user, _("What waited for %(name)s has moved."))


@require_POST
def end_user_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    asked = _deciding(request, pk)
    return _decided(
        request, asked, ReasonForm(request.POST), actions.refuse_end_user, _("%(name)s is refused.")
    )


@require_http_methods(["GET", "HEAD", "POST"])
def end_user_confirm(request: HttpRequest) -> HttpResponse:
    """The first contact of a new end user says that name and address are right, and becomes account manager."""
    user = current_user(request)
    waiting = EndUserRequest.objects.visible_to(user).to_be_confirmed_by(user)
    asked = waiting.select_related("organisation", "partner").first()
    if asked is None:
        raise Http404
    known = {"name": asked.organisation.name, "address": asked.organisation.address}
    form = ConfirmForm(request.POST) if request.method == "POST" else ConfirmForm(initial=known)
    if form.is_bound and form.is_valid():
        try:
            actions.confirm_end_user(**form.cleaned_data, by=user, now=timezone.now())
        except ContractError as refusal:
            blame(form, refusal)
        else:
            messages.success(request, _("Thank you. You now look after the accounts of your colleagues."))
            return redirect("home")
    status = 422 if form.is_bound else 200
    return render(request, "contracts/end_user_confirm.html", {"form": form, "asked": asked}, status=status)
