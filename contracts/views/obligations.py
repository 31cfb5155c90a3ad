"""Under `/contracts/<number>/`: the register of requirements, and written notices about responsibilities (C58-C62)."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.middleware import current_user
from accounts.models import User
from accounts.roles import Permission
from contracts import actions
from contracts.errors import ContractError
from contracts.forms.obligations import AnswerForm, MeetForm, NoticeForm, RequirementForm
from contracts.models import NonFulfilment, Requirement, ServiceContract

FORM_METHODS = ["GET", "HEAD", "POST"]


def _contract(user: User, number: str) -> ServiceContract:
    rows = ServiceContract.objects.visible_to(user).select_related("end_user", "software")
    return get_object_or_404(rows, number=number)


def _allowed(user: User, permission: Permission, *, is_own: bool | None = None) -> None:
    """403 without the permission; `is_own`: for what only the end user's own people do."""
    if not user.can(permission) or is_own is False:
        raise PermissionDenied(_("You may not do this."))


def _is_own(user: User, contract: ServiceContract) -> bool:
    return user.acting is not None and user.acting.organisation_id == contract.end_user_id


def _carried_out(form: forms.Form, change: Callable[[], Any]) -> bool:
    """Whether the form was right and the change went through; a refusal stands beside its cause."""
    if form.is_valid():
        try:
            change()
        except ContractError as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
    return form.is_valid()


def _back(contract: ServiceContract, anchor: str) -> HttpResponse:
    return redirect(f"{reverse('contract_detail', args=[contract.number])}#{anchor}")


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    status = 422 if request.method == "POST" else 200
    return render(request, f"contracts/{template}.html", context, status=status)


# Requirements


@require_http_methods(FORM_METHODS)
def requirement_new(request: HttpRequest, number: str) -> HttpResponse:
    user, now = current_user(request), timezone.now()
    contract = _contract(user, number)
    _allowed(user, Permission.OBLIGATION_RECORD)
    form = RequirementForm(request.POST or None, initial={"dated_on": now.date()})
    if request.method == "POST" and _carried_out(
        form,
        lambda: actions.record_requirement(contract=contract, by=user, now=now, **form.cleaned_data),
    ):
        messages.success(request, _("The requirement is in the register."))
        return _back(contract, "requirements")
    return _page(request, "requirement_new", {"form": form, "contract": contract})


def _requirement(user: User, number: str, pk: int) -> Requirement:
    rows = Requirement.objects.visible_to(user).select_related("contract__end_user", "contract__software")
    return get_object_or_404(rows, pk=pk, contract__number=number)


@require_http_methods(FORM_METHODS)
def requirement_meet(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    user, now = current_user(request), timezone.now()
    requirement = _requirement(user, number, pk)
    _allowed(user, Permission.OBLIGATION_MEET, is_own=_is_own(user, requirement.contract))
    form = MeetForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and _carried_out(
        form,
        lambda: actions.meet_requirement(requirement=requirement, by=user, now=now, **form.cleaned_data),
    ):
        messages.success(request, _("The requirement is marked as met."))
        return _back(requirement.contract, "requirements")
    context = {"form": form, "requirement": requirement, "contract": requirement.contract}
    return _page(request, "requirement_meet", context)


@require_POST
def requirement_unmeet(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    user = current_user(request)
    requirement = _requirement(user, number, pk)
    if not user.can(Permission.OBLIGATION_RECORD):
        _allowed(user, Permission.OBLIGATION_MEET, is_own=_is_own(user, requirement.contract))
    try:
        actions.unmeet_requirement(requirement=requirement, by=user, now=timezone.now())
    except ContractError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The requirement is not met any more."))
    return _back(requirement.contract, "requirements")


@require_POST
def requirement_retire(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    user = current_user(request)
    requirement = _requirement(user, number, pk)
    _allowed(user, Permission.OBLIGATION_RECORD)
    try:
        actions.retire_requirement(requirement=requirement, by=user, now=timezone.now())
    except ContractError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The requirement is no longer asked."))
    return _back(requirement.contract, "requirements")


# Written notices


@require_http_methods(FORM_METHODS)
def non_fulfilment_new(request: HttpRequest, number: str) -> HttpResponse:
    user, now = current_user(request), timezone.now()
    contract = _contract(user, number)
    _allowed(user, Permission.OBLIGATION_NOTIFY, is_own=_is_own(user, contract))
    form = NoticeForm(request.POST or None)
    if request.method == "POST" and _carried_out(
        form, lambda: actions.give_notice(contract=contract, by=user, now=now, **form.cleaned_data)
    ):
        messages.success(request, _("Your notice is kept, with its time, and support was told."))
        return _back(contract, "notices")
    return _page(request, "non_fulfilment_new", {"form": form, "contract": contract})


@require_http_methods(FORM_METHODS)
def non_fulfilment_answer(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    user, now = current_user(request), timezone.now()
    rows = NonFulfilment.objects.visible_to(user).select_related(
        "contract__end_user", "contract__software", "given_by__user", "read_by__user"
    )
    notice = get_object_or_404(rows, pk=pk, contract__number=number)
    _allowed(user, Permission.OBLIGATION_RECORD)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and _carried_out(
        form, lambda: actions.answer_notice(notice=notice, by=user, now=now, **form.cleaned_data)
    ):
        messages.success(request, _("The notice is answered, and whoever gave it was told."))
        return _back(notice.contract, "notices")
    context = {"form": form, "notice": notice, "contract": notice.contract}
    return _page(request, "non_fulfilment_answer", context)
