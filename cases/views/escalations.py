"""`/escalations/`: open P1 and P2 with their ladders, and alerts that nobody has acknowledged."""

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.middleware import current_user
from accounts.models import User
from cases.models import Case
from cases.receipts import Step, ladders_of
from cases.views.queues import staff_only
from entitlements.kinds import HIGH
from notifications.models import Message

SHOWN: Final = 50


@dataclass(kw_only=True)
class Burning:
    """An open case of high priority with its ladder."""

    case: Case
    ladder: list[Step]
    unanswered: list[Step]
    mine: Message | None

    @property
    def next_step(self) -> Step | None:
        return next((step for step in self.ladder if step.state == "pending"), None)


def burning(user: User, limit: int = SHOWN) -> list[Burning]:
    """Open P1 and P2 whose service is not restored, those with an unanswered alert first, in four queries."""
    cases = Case.objects.visible_to(user).open().filter(priority__in=sorted(HIGH), restored_at=None)
    rows = list(cases.for_list().order_by("priority", "opened_at", "pk")[:limit])
    ladders = ladders_of(rows, user)
    found = []
    for case in rows:
        ladder = ladders.get(case.pk, [])
        unanswered = [step for step in ladder if step.is_unanswered]
        mine = next((alert for step in unanswered if (alert := step.alert_for(user))), None)
        found.append(Burning(case=case, ladder=ladder, unanswered=unanswered, mine=mine))
    return sorted(found, key=lambda one: (one.mine is None, not one.unanswered))


@require_safe
def escalation_list(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    staff_only(user)
    cases = burning(user)
    context = {
        "cases": cases,
        "unanswered": sum(1 for one in cases if one.unanswered),
        "is_cut": len(cases) == SHOWN,
        "now": timezone.now(),
    }
    return render(request, "cases/escalations.html", context)
