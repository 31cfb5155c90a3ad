"""`/contracts/register/`: a page that a person can do ten times in a row; and drafts."""

from datetime import date, timedelta
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

from accounts.export_control import CountryExcluded
from accounts.middleware import current_user
from accounts.models import User
from accounts.roles import Permission
from contracts import actions
from contracts.actions.registration import agreement_in_force
from contracts.alignment import length_of
from contracts.errors import ContractError
from contracts.forms.registration import NEW, ORDER, RegisterForm
from contracts.kinds import ContractState
from contracts.models import ServiceContract

LAST = "contract_registered_last"
GIVEN = ("whom", "end_user", "software", "starts_on", "months", "renews", "co_terminates_with", *ORDER)


def may_register(user: User) -> bool:
    return user.can(Permission.CONTRACT_REGISTER) or user.can(Permission.CONTRACT_APPROVE)


def _registering(request: HttpRequest) -> User:
    user = current_user(request)
    if not may_register(user):
        raise PermissionDenied(_("You may not register contracts."))
    return user


@require_http_methods(["GET", "HEAD", "POST"])
def contract_register(request: HttpRequest) -> HttpResponse:
    user = _registering(request)
    if request.method != "POST":
        return _page(
            request, RegisterForm(by=user, day=timezone.localdate(), initial=_initial(request, user))
        )
    return _sent(request, user, draft=None)


@require_http_methods(["GET", "HEAD", "POST"])
def contract_edit(request: HttpRequest, number: str) -> HttpResponse:
    """A draft: the same page, with what was kept."""
    user = current_user(request)
    rows = ServiceContract.objects.visible_to(user).select_related("renews", "co_terminates_with")
    draft = get_object_or_404(rows, number=number, state=ContractState.DRAFT)
    _registering(request)
    if request.method != "POST":
        form = RegisterForm(by=user, day=timezone.localdate(), initial=_initial_of(draft))
        return _page(request, form, draft=draft)
    return _sent(request, user, draft=draft)


@require_POST
def contract_discard(request: HttpRequest, number: str) -> HttpResponse:
    user = current_user(request)
    draft = get_object_or_404(ServiceContract.objects.visible_to(user), number=number)
    _registering(request)
    try:
        actions.discard_draft(contract=draft, by=user, now=timezone.now())
    except ContractError as refusal:
        messages.error(request, str(refusal))
        return redirect("contract_detail", number)
    messages.success(request, _("The draft %(number)s is gone.") % {"number": number})
    return redirect("contract_list")


def _sent(request: HttpRequest, user: User, draft: ServiceContract | None) -> HttpResponse:
    wish = request.POST.get("then", "")
    form = RegisterForm(request.POST, by=user, day=timezone.localdate(), as_draft=wish == "draft")
    contract = _register(form, user, draft) if form.is_valid() else None
    if contract is None:
        return _page(request, form, draft=draft, status=422)
    _remember(request, form, contract)
    if form.as_draft:
        messages.success(request, _("%(number)s is kept as a draft.") % {"number": contract.number})
    else:
        messages.success(
            request, _("%(number)s is registered and waits for approval.") % {"number": contract.number}
        )
    if wish == "another":
        return redirect(f"{reverse('contract_register')}?another=1")
    return redirect("contract_detail", contract.number)


def _register(form: RegisterForm, user: User, draft: ServiceContract | None) -> ServiceContract | None:
    try:
        return actions.register_contract(**form.registration(), draft=draft, by=user, now=timezone.now())
    except CountryExcluded as refusal:
        form.add_error("new_country" if form.is_new else "end_user", str(refusal))
    except ContractError as refusal:
        blame(form, refusal)
    return None


def blame(form: forms.Form, refusal: ContractError) -> None:
    """Beside the field that caused it, where there is one."""
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))


def _remember(request: HttpRequest, form: RegisterForm, contract: ServiceContract) -> None:
    """The customer, dates and order of the last registration stay in this session for the next one."""
    request.session[LAST] = {
        "end_user": contract.end_user_id,
        "starts_on": contract.starts_on.isoformat(),
        "months": form.cleaned_data["months"],
        **{name: form.cleaned_data[name] for name in ORDER},
    }


def _initial(request: HttpRequest, user: User) -> dict[str, Any]:
    """What stands in the form at first: what the address names, a contract to copy, or the last registration."""
    today = timezone.localdate()
    initial: dict[str, Any] = {"starts_on": today + timedelta(days=1), "months": 12}
    agreement = agreement_in_force(today)
    initial["agreement"] = agreement.pk if agreement else None
    last: dict[str, Any] = request.session.get(LAST, {})
    copied = _copied(request, user)
    if copied is not None:
        return initial | _initial_of(copied)
    if request.GET.get("another"):
        return initial | last
    if not any(name in request.GET for name in GIVEN):
        initial |= {name: value for name, value in last.items() if name not in ORDER}
    given = {name: request.GET.get(name, "") for name in GIVEN}
    initial |= {name: value for name, value in given.items() if value and "\0" not in value}
    if initial.get("whom") != NEW and not initial.get("end_user"):
        customers = RegisterForm(by=user, day=today).fields["end_user"].queryset[:2]  # type: ignore[attr-defined]
        if len(customers) == 1:
            initial["end_user"] = customers[0].pk
    return initial


def _copied(request: HttpRequest, user: User) -> ServiceContract | None:
    """The contract that the address says to begin from: a duplicate, or one that was refused."""
    number = request.GET.get("like", "")
    if not number or "\0" in number:
        return None
    rows = ServiceContract.objects.visible_to(user).select_related("renews", "co_terminates_with")
    return rows.filter(number=number).first()


def _initial_of(contract: ServiceContract) -> dict[str, Any]:
    kept = {name: getattr(contract, name) for name in ORDER}
    is_draft = contract.state == ContractState.DRAFT
    target = contract.co_terminates_with
    return {
        **kept,
        "end_user": contract.end_user_id,
        "software": contract.software_id,
        "starts_on": contract.starts_on,
        "months": _months(contract.starts_on, contract.ends_on),
        "co_terminates_with": target.number if target else None,
        "co_termination_reason": contract.co_termination_reason,
        "agreement": contract.agreement_id,
        "licence": contract.licence_id,
        "is_internal_use": is_draft and contract.is_internal_use,
        "renews": contract.renews.number if is_draft and contract.renews else None,
    }


def _months(starts_on: date, ends_on: date) -> int:
    return max(12, length_of(starts_on, ends_on).months)


def _page(
    request: HttpRequest, form: RegisterForm, draft: ServiceContract | None = None, status: int = 200
) -> HttpResponse:
    context = {"form": form, "draft": draft, "is_another": bool(request.GET.get("another"))}
    return render(request, "contracts/contract_register.html", context, status=status)
