"""`/contracts/`: the list, registering, one contract, and the decision about it."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.export_control import CountryExcluded
from accounts.middleware import current_user
from accounts.models import Organisation, User
from accounts.roles import Permission
from contracts import actions
from contracts.errors import ContractError
from contracts.forms import ApproveForm, ReasonForm, RegisterForm
from contracts.kinds import Condition, ContractState
from contracts.models import ServiceContract
from contracts.models.contract import ServiceContractQuerySet
from contracts.paging import COUNT_LIMIT, capped_count, page_of
from contracts.prerequisites import order_differs, prerequisites_of

CONDITIONS = (
    Condition.IN_FORCE,
    Condition.NOT_STARTED,
    Condition.ENDED,
    Condition.WAITING,
    Condition.REFUSED,
    Condition.TERMINATED,
)
MOST_DAYS = 3660
MENU_SIZE = 50


@require_safe
def contract_list(request: HttpRequest) -> HttpResponse:
    user, now = current_user(request), timezone.now()
    contracts = _filtered(request, ServiceContract.objects.visible_to(user), now).for_list()
    page = page_of(contracts, _order(request), request.GET)
    total = capped_count(contracts, page)
    context = {
        "rows": [(contract, contract.condition_at(now)) for contract in page.rows],
        "page": page,
        "words": contracts_in_words(total),
        "sort": "-end" if request.GET.get("sort") == "-end" else "end",
        "states": [(condition.value, condition.label) for condition in CONDITIONS],
        "end_users": _end_users(user),
        "ending": _days(request),
        "today": now.date(),
        "is_end_user": user.acting is not None and not user.is_vendor_staff and not _is_partner(user),
        "is_partner": _is_partner(user),
        "may_register": _may_register(user),
        "is_filtered": any(request.GET.get(name) for name in ("state", "ending", "end_user")),
    }
    return render(request, "contracts/contract_list.html", context)


def _order(request: HttpRequest) -> tuple[str, ...]:
    return ("-ends_on", "-pk") if request.GET.get("sort") == "-end" else ("ends_on", "pk")


def _filtered(
    request: HttpRequest, contracts: ServiceContractQuerySet, now: datetime
) -> ServiceContractQuerySet:
    """What `?state=`, `?ending=` (days) and `?end_user=` leave; nonsense leaves everything."""
    state, end_user, days = request.GET.get("state"), request.GET.get("end_user", ""), _days(request)
    if state in Condition.values:
        contracts = contracts.in_condition(Condition(state), now)
    if days:
        last = now.date() + timedelta(days=days)
        contracts = contracts.filter(
            state=ContractState.APPROVED, ends_on__gt=now.date(), ends_on__lte=last, renewed_by=None
        )
    if end_user and "\0" not in end_user:
        contracts = contracts.filter(end_user__slug=end_user)
    return contracts


def _days(request: HttpRequest) -> int:
    text = request.GET.get("ending", "")
    return min(int(text), MOST_DAYS) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _end_users(user: User) -> list[tuple[str, str]]:
    if not user.is_vendor_staff and not _is_partner(user):
        return []
    named = Organisation.objects.visible_to(user).filter(
        contracts__in=ServiceContract.objects.visible_to(user)
    )
    return list(named.distinct().order_by("name", "slug").values_list("slug", "name")[:MENU_SIZE])


def contracts_in_words(total: int) -> str:
    if total > COUNT_LIMIT:
        return _("1,000+ contracts")
    return ngettext("%(count)s contract", "%(count)s contracts", total) % {"count": f"{total:,}"}


def _is_partner(user: User) -> bool:
    return user.acting is not None and user.acting.organisation.is_partner


def _may_register(user: User) -> bool:
    return user.can(Permission.CONTRACT_REGISTER) or user.can(Permission.CONTRACT_APPROVE)


# Registering


@require_http_methods(["GET", "HEAD", "POST"])
def contract_register(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    if not _may_register(user):
        raise PermissionDenied(_("You may not register contracts."))
    if request.method != "POST":
        return _register_page(request, RegisterForm(by=user, initial=_initial(request, user)))
    form = RegisterForm(request.POST, by=user)
    contract = _register(form, user) if form.is_valid() else None
    if contract is None:
        return _register_page(request, form, status=422)
    messages.success(
        request, _("%(number)s is registered and waits for approval.") % {"number": contract.number}
    )
    return redirect("contract_detail", contract.number)


def _register(form: RegisterForm, user: User) -> ServiceContract | None:
    values = {name: value for name, value in form.cleaned_data.items() if name != "months"}
    try:
        return actions.register_contract(**values, by=user, now=timezone.now())
    except CountryExcluded as refusal:
        form.add_error("end_user", str(refusal))
    except ContractError as refusal:
        _blame(form, refusal)
    return None


def _blame(form: forms.Form, refusal: ContractError) -> None:
    """Beside the field that caused it, where there is one."""
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))


def _initial(request: HttpRequest, user: User) -> dict[str, Any]:
    """What the address names (a renewal, a chosen end user), with the order's fields as the portal knows them."""
    given = {
        name: request.GET.get(name, "") for name in ("end_user", "software", "starts_on", "months", "renews")
    }
    initial: dict[str, Any] = {name: value for name, value in given.items() if value and "\0" not in value}
    initial.setdefault("starts_on", timezone.localdate() + timedelta(days=1))
    initial.setdefault("months", 12)
    customers = RegisterForm(by=user).fields["end_user"].queryset  # type: ignore[attr-defined]
    chosen = _chosen(list(customers[:2]), customers, given["end_user"])
    if chosen is not None:
        initial["end_user"] = chosen.pk
        if _is_partner(user):
            initial |= {"po_end_user_name": chosen.name, "po_end_user_address": chosen.address}
    return initial


def _chosen(first: list[Organisation], customers: Any, named: str) -> Organisation | None:
    """The end user that was named, or the only one there is."""
    if named.isascii() and named.isdigit() and len(named) < 19:
        found: Organisation | None = customers.filter(pk=int(named)).first()
        return found
    return first[0] if len(first) == 1 else None


def _register_page(request: HttpRequest, form: RegisterForm, status: int = 200) -> HttpResponse:
    return render(request, "contracts/contract_register.html", {"form": form}, status=status)


# One contract


def _visible(user: User, number: str) -> ServiceContract:
    rows = ServiceContract.objects.visible_to(user).select_related(
        "end_user",
        "software",
        "partner",
        "renews",
        "renewed_by",
        "agreement",
        "registered_by__user",
        "registered_by__organisation",
        "decided_by__user",
    )
    return get_object_or_404(rows, number=number)


@require_safe
def contract_detail(request: HttpRequest, number: str) -> HttpResponse:
    return _detail_page(request, _visible(current_user(request), number))


def _detail_page(
    request: HttpRequest,
    contract: ServiceContract,
    approve: ApproveForm | None = None,
    refuse: ReasonForm | None = None,
    status: int = 200,
) -> HttpResponse:
    user, now = current_user(request), timezone.now()
    prerequisites = prerequisites_of(contract.end_user, contract.software)
    decides = user.can(Permission.CONTRACT_APPROVE) and contract.state == ContractState.WAITING
    context = {
        "contract": contract,
        "condition": contract.condition_at(now),
        "prerequisites": prerequisites,
        "are_met": all(prerequisite.is_met for prerequisite in prerequisites),
        "differs": order_differs(contract),
        "today": now.date(),
        "may_decide": decides and contract.registered_by.user_id != user.pk,
        "is_own_registration": decides and contract.registered_by.user_id == user.pk,
        "may_renew": _may_register(user)
        and contract.state == ContractState.APPROVED
        and not hasattr(contract, "renewed_by"),
        "approve_form": approve or ApproveForm(),
        "refuse_form": refuse or ReasonForm(),
        "failed": [form for form in (approve, refuse) if form is not None],
    }
    return render(request, "contracts/contract_detail.html", context, status=status)


def _deciding(request: HttpRequest, number: str) -> ServiceContract:
    """The contract, for somebody who may decide: 404 before 403, so that a stranger learns nothing."""
    user = current_user(request)
    contract = _visible(user, number)
    if not user.can(Permission.CONTRACT_APPROVE):
        raise PermissionDenied(_("You may not approve or refuse contracts."))
    return contract


@require_POST
def contract_approve(request: HttpRequest, number: str) -> HttpResponse:
    contract = _deciding(request, number)
    form = ApproveForm(request.POST)
    if form.is_valid():
        try:
            actions.approve_contract(
                contract=contract,
                by=current_user(request),
                now=timezone.now(),
                order_checked=form.cleaned_data["order_checked"],
            )
        except (ContractError, CountryExcluded) as refusal:
            form.add_error(getattr(refusal, "field", None) or None, str(refusal))
        else:
            messages.success(request, _("%(number)s is approved.") % {"number": number})
            return redirect("contract_detail", number)
    return _detail_page(request, contract, approve=form, status=422)


@require_POST
def contract_refuse(request: HttpRequest, number: str) -> HttpResponse:
    contract = _deciding(request, number)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            actions.refuse_contract(
                contract=contract,
                reason=form.cleaned_data["reason"],
                by=current_user(request),
                now=timezone.now(),
            )
        except ContractError as refusal:
            _blame(form, refusal)
        else:
            messages.success(request, _("%(number)s is refused.") % {"number": number})
            return redirect("contract_detail", number)
    return _detail_page(request, contract, refuse=form, status=422)
