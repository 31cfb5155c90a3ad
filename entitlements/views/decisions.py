"""One decision as it was taken, and taken again."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.middleware import current_user
from contracts.kinds import ContractState
from entitlements.actions import replay
from entitlements.facts import Facts, Request
from entitlements.models import DecisionRecord

RELATED = ("organisation", "software", "release", "contract", "asked_by__user")


@require_safe
def decision_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Question, facts, answer and rule version; the replay shows whether the answer still follows from them."""
    records = DecisionRecord.objects.visible_to(current_user(request)).select_related(*RELATED)
    record = get_object_or_404(records, pk=pk)
    again = replay(record)
    facts = Facts.from_record(record.facts)
    context = {
        "record": record,
        "answer": again,
        "asked": Request.from_record(record.request),
        "facts": facts,
        "contracts": [(row, ContractState(row.state).label) for row in facts.contracts],
        "is_same": again.as_record() == record.answer,
    }
    return render(request, "entitlements/decision.html", context)
