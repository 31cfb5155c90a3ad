"""`/contracts/`: the list, one contract, and the decisions about it."""

from datetime import datetime, timedelta

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
from accounts.paging import COUNT_LIMIT, capped_count, page_of
from accounts.roles import Permission
from contracts import actions
from contracts.errors import ContractError
from contracts.forms.contract import ApproveForm, ReasonForm
from contracts.kinds import Condition, ContractState
from contracts.models import ServiceContract
from contracts.models.contract import ServiceContractQuerySet
from contracts.obligations import for_contract
from contracts.prerequisites import order_differs
from contracts.views.registration import blame, may_register

CONDITIONS = (
    Condition.IN_FORCE,
    Condition.NOT_STARTED,
    Condition.ENDED,
    Condition.WAITING,
    Condition.REFUSED,
    Condition.TERMINATED,
    Condition.DRAFT,
)
ORDER_DIFFERS = "order_differs"
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
        "states": _states(user),
        "may_approve": user.can(Permission.CONTRACT_APPROVE),
        "order_differs": request.GET.get(ORDER_DIFFERS) == "1",
        "end_users": _end_users(user),
        "ending": _days(request),
        "today": now.date(),
        "is_end_user": user.acting is not None and not user.is_vendor_staff and not _is_partner(user),
        "is_partner": _is_partner(user),
        "may_register": may_register(user),
        "is_filtered": any(request.GET.get(name) for name in ("state", "ending", "end_user", ORDER_DIFFERS)),
    }
    return render(request, "contracts/contract_list.html", context)


def _states(user: User) -> list[tuple[str, str]]:
    """An end user is shown no drafts, so it is offered none."""
    shown = CONDITIONS if may_register(user) else CONDITIONS[:-1]
    return [(condition.value, str(condition.label)) for condition in shown]


def _order(request: HttpRequest) -> tuple[str, ...]:
    return ("-ends_on", "-pk") if request.GET.get("sort") == "-end" else ("ends_on", "pk")


def _filtered(
    request: HttpRequest, contracts: ServiceContractQuerySet, now: datetime
) -> ServiceContractQuerySet:
    """What `?state=`, `?ending=` (days), `?end_user=` and `?order_differs=1` leave; nonsense leaves everything."""
    state, end_user, days = request.GET.get("state"), request.GET.get("end_user", ""), _days(request)
    if state in Condition.values:
        contracts = contracts.in_condition(Condition(state), now)
    if days:
        last = now.date() + timedelta(days=days)
        contracts = contracts.filter(
            state=ContractState.APPROVED, ends_on__gt=now.date(), ends_on__lte=last
        ).not_renewed()
    if request.GET.get(ORDER_DIFFERS) == "1":
        contracts = contracts.filter(state=ContractState.WAITING).order_differs()
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


# One contract


def visible_contract(user: User, number: str) -> ServiceContract:
    rows = ServiceContract.objects.visible_to(user).select_related(
        "end_user",
        "software",
        "partner",
        "renews",
        "renewed_by",
        "agreement",
        "licence",
        "registered_by__user",
        "registered_by__organisation",
        "decided_by__user",
        "terminated_by__user",
        "co_terminates_with",
        "co_termination_approved_by__user",
    )
    return get_object_or_404(rows, number=number)


@require_safe
def contract_detail(request: HttpRequest, number: str) -> HttpResponse:
    return _detail_page(request, visible_contract(current_user(request), number))


def _detail_page(
    request: HttpRequest,
    contract: ServiceContract,
    approve: ApproveForm | None = None,
    refuse: ReasonForm | None = None,
    status: int = 200,
) -> HttpResponse:
    user, now = current_user(request), timezone.now()
    papers = for_contract(contract, user, now=now)
    successor = getattr(contract, "renewed_by", None)
    context = {
        "contract": contract,
        "condition": contract.condition_at(now),
        "are_met": papers["obligations"].are_agreed,
        "differs": order_differs(contract),
        "today": now.date(),
        "gap_days": (contract.starts_on - contract.renews.ends_on).days if contract.renews else 0,
        "successor": successor if successor is None or _shows(user, successor) else None,
        "failed": [form for form in (approve, refuse) if form is not None],
        **papers,
        **_rights(user, contract, now),
    }
    if context["may_decide"]:
        context |= {
            "approve_form": approve or _approve_form(contract, user),
            "refuse_form": refuse or ReasonForm(),
        }
    return render(request, "contracts/contract_detail.html", context, status=status)


def _shows(user: User, contract: ServiceContract) -> bool:
    return ServiceContract.objects.visible_to(user).filter(pk=contract.pk).exists()


def _rights(user: User, contract: ServiceContract, now: datetime) -> dict[str, bool]:
    """What the person may do with this contract now; the actions ask again."""
    approves = user.can(Permission.CONTRACT_APPROVE)
    decides = approves and contract.state == ContractState.WAITING
    is_own = contract.registered_by.user_id == user.pk
    successor = getattr(contract, "renewed_by", None)
    is_approved = contract.state == ContractState.APPROVED
    registers = may_register(user)
    return {
        "may_decide": decides and not is_own,
        "is_own_registration": decides and is_own,
        "may_renew": registers and is_approved and successor is None,
        "may_terminate": approves and is_approved and contract.ends_at is not None and contract.ends_at > now,
        "may_copy": registers and contract.state != ContractState.DRAFT,
        "may_edit": registers and contract.state == ContractState.DRAFT,
    }


def _approve_form(contract: ServiceContract, user: User) -> ApproveForm:
    """What the registrar asked for stands in it already; approving takes a person."""
    target = contract.co_terminates_with
    asked = target is not None and contract.co_termination_approved_by_id is None
    initial = {
        "co_terminates_with": target.number if asked and target else None,
        "co_termination_reason": contract.co_termination_reason,
    }
    return ApproveForm(contract=contract, by=user, initial=initial)


def _deciding(request: HttpRequest, number: str) -> ServiceContract:
    """The contract, for somebody who may decide: 404 before 403, so that a stranger learns nothing."""
    user = current_user(request)
    contract = visible_contract(user, number)
    if not user.can(Permission.CONTRACT_APPROVE):
        raise PermissionDenied(_("You may not approve or refuse contracts."))
    return contract


@require_POST
def contract_approve(request: HttpRequest, number: str) -> HttpResponse:
    user, contract = current_user(request), _deciding(request, number)
    form = ApproveForm(request.POST, contract=contract, by=user)
    if form.is_valid():
        try:
            actions.approve_contract(contract=contract, by=user, now=timezone.now(), **form.cleaned_data)
        except CountryExcluded as refusal:
            form.add_error(None, str(refusal))
        except ContractError as refusal:
            blame(form, refusal)
        else:
            messages.success(request, _("%(number)s is approved.") % {"number": number})
            return redirect("contract_detail", number)
    return _detail_page(request, visible_contract(user, number), approve=form, status=422)


@require_POST
def contract_refuse(request: HttpRequest, number: str) -> HttpResponse:
    user, contract = current_user(request), _deciding(request, number)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            actions.refuse_contract(contract=contract, by=user, now=timezone.now(), **form.cleaned_data)
        except ContractError as refusal:
            blame(form, refusal)
        else:
            messages.success(request, _("%(number)s is refused.") % {"number": number})
            return redirect("contract_detail", number)
    return _detail_page(request, visible_contract(user, number), refuse=form, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
def contract_terminate(request: HttpRequest, number: str) -> HttpResponse:
    """A page of its own: what ends here ends at once, for everybody."""
    user, contract = current_user(request), _deciding(request, number)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.terminate_contract(contract=contract, by=user, now=timezone.now(), **form.cleaned_data)
        except ContractError as refusal:
            blame(form, refusal)
        else:
            messages.success(request, _("%(number)s is terminated.") % {"number": number})
            return redirect("contract_detail", number)
    context = {"contract": contract, "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "contracts/contract_terminate.html", context, status=status)
