"""`/contracts/align/`: what it would mean to let several contracts end together (C10)."""

from datetime import date, timedelta

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.middleware import current_user
from accounts.models import Organisation, User
from contracts.alignment import aligned
from contracts.forms.contract import AlignForm
from contracts.kinds import ContractState
from contracts.models import ServiceContract
from contracts.terms import last_covered_day
from contracts.views.registration import may_register

MOST = 200


def with_contracts(user: User) -> list[tuple[str, str]]:
    """The end users of the contracts that somebody sees: short name and name."""
    seen = ServiceContract.objects.visible_to(user)
    named = Organisation.objects.visible_to(user).filter(contracts__in=seen)
    return list(named.distinct().order_by("name", "slug").values_list("slug", "name")[:MOST])


def chosen_end_user(request: HttpRequest, choices: list[tuple[str, str]]) -> str:
    """The short name in the address, if it is one of the choices; else the only one there is."""
    given = request.GET.get("end_user", "")
    if any(slug == given for slug, _name in choices):
        return given
    return choices[0][0] if len(choices) == 1 else ""


@require_safe
def contract_align(request: HttpRequest) -> HttpResponse:
    user, today = current_user(request), timezone.localdate()
    if not may_register(user):
        raise PermissionDenied(_("You may not register contracts."))
    end_users = with_contracts(user)
    chosen = chosen_end_user(request, end_users)
    running = _running(user, chosen, today)
    picked = [contract for contract in running if contract.number in request.GET.getlist("contract")]
    form = AlignForm(request.GET if request.GET.get("last_day") else {"last_day": _latest(picked or running)})
    last_day = form.day()
    context = {
        "form": form,
        "end_users": end_users,
        "chosen": chosen,
        "contracts": running,
        "picked": {contract.number for contract in picked or running},
        "rows": aligned(picked or running, last_day + timedelta(days=1)) if last_day else [],
        "target": next((c for c in running if last_day and c.last_covered_day == last_day), None),
        "today": today,
    }
    return render(request, "contracts/contract_align.html", context)


def _running(user: User, slug: str, today: date) -> list[ServiceContract]:
    if not slug:
        return []
    rows = ServiceContract.objects.visible_to(user).filter(
        end_user__slug=slug, state=ContractState.APPROVED, ends_on__gt=today
    )
    return list(rows.select_related("software", "end_user").order_by("ends_on", "pk")[:MOST])


def _latest(contracts: list[ServiceContract]) -> str:
    last = max((contract.ends_on for contract in contracts), default=None)
    return last_covered_day(last).isoformat() if last else ""
