"""What every page's frame needs: rail, counts, the engine's state, appearance. One query, when it is used."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import IntegerField, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from accounts.models import Membership, User
from accounts.roles import Permission
from cases.models import Case
from cases.workflow import CaseState
from contracts.kinds import ContractState
from contracts.models import DocumentTask, InstallTask, ServiceContract
from contracts.obligations import may_run_tasks
from entitlements.kinds import HIGH
from entitlements.models import ExceptionRequest, QuoteRequest
from notifications.condition import Condition, condition_of_the_engine
from notifications.models import Delivery
from portal import navigation

CAP = 1001


class CappedCount(Subquery):
    """How many rows, up to a cap: a count of everything would cost more than the page."""

    template = "(SELECT count(*) FROM (%(subquery)s) AS capped)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Any]) -> None:
        super().__init__(rows.order_by().values("pk")[:CAP])


def rail_counts(user: User, now: datetime) -> dict[str, Any]:
    """The counts in the rail, and for those who watch the engine how it is, in one query."""
    acting = user.acting
    if acting is None:
        return {}
    cases = Case.objects.visible_to(user).open()
    contracts = ServiceContract.objects.visible_to(user)
    counted: dict[str, QuerySet[Any]] = {}
    if user.can(Permission.CASE_VIEW_ALL):
        counted |= {
            "mine": cases.filter(owner=acting),
            "open_cases": cases,
            "unassigned": cases.filter(owner=None),
            "escalations": cases.filter(priority__in=sorted(HIGH), restored_at=None),
            "missed": cases.filter(next_deadline_at__lt=now),
        }
    elif acting.organisation.is_partner:
        soon = now.date() + timedelta(days=90)
        approved = contracts.filter(state=ContractState.APPROVED)
        counted |= {
            "ending": approved.not_renewed().filter(ends_on__gt=now.date(), ends_on__lte=soon),
            "refused": contracts.filter(state=ContractState.REFUSED),
        }
    elif not user.is_vendor_staff:
        waiting = [CaseState.CUSTOMER_PENDING, CaseState.RESOLUTION_PROPOSED]
        counted |= {
            "waiting": cases.filter(state__in=waiting),
            "mine": cases.filter(contact=acting),
            "open_cases": cases,
            "install_tasks": InstallTask.objects.visible_to(user).open(),
        }
    if user.can(Permission.CONTRACT_APPROVE) or acting.organisation.is_partner:
        counted["approvals"] = contracts.filter(state=ContractState.WAITING)
    if user.can(Permission.REQUEST_DECIDE):
        counted["requests"] = ExceptionRequest.objects.visible_to(user).undecided()
    elif user.can(Permission.REQUEST_QUOTE):
        counted["requests"] = QuoteRequest.objects.visible_to(user).undecided()
    if may_run_tasks(user):
        counted["document_tasks"] = DocumentTask.objects.visible_to(user).open()
    expressions: dict[str, Any] = {name: CappedCount(rows) for name, rows in counted.items()}
    expressions["inbox"] = CappedCount(Delivery.objects.inbox_of(user).unread())
    if user.can(Permission.ENGINE_VIEW):
        expressions |= condition_of_the_engine()
    counts: dict[str, Any] = dict(Membership.objects.filter(pk=acting.pk).values(**expressions).get())
    return counts


def _rail(user: User, path: str, counts: dict[str, Any]) -> tuple[navigation.Section, ...]:
    acting = user.acting
    if acting is None:
        return ()
    return navigation.rail(
        kind=acting.organisation.kind, permissions=acting.permissions, counts=counts, path=path
    )


@dataclass(frozen=True)
class EngineState:
    """One line at the foot of the rail: whether alerts go out."""

    ok: bool
    text: str


def _engine_state(counts: dict[str, Any], now: datetime) -> EngineState | None:
    if "heartbeat_at" not in counts:
        return None
    found = Condition.of(heartbeat_at=counts["heartbeat_at"], oldest_due_at=counts["oldest_due_at"], now=now)
    if found.heartbeat_age is None:
        return EngineState(ok=False, text=_("Alerts: the engine has never run"))
    if not found.is_on_time and found.oldest_due is not None:
        seconds = int(found.oldest_due.total_seconds())
        return EngineState(
            ok=False, text=_("Alerts: late, the oldest waits for %(seconds)d s") % {"seconds": seconds}
        )
    seconds = max(0, int(found.heartbeat_age.total_seconds()))
    return EngineState(
        ok=found.is_alive, text=_("Alerts: last cycle %(seconds)d s ago") % {"seconds": seconds}
    )


def frame(request: HttpRequest) -> dict[str, Any]:
    # a request that was refused before anybody asked who it is from has no user
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {"theme": request.COOKIES.get("theme", "")}
    now = timezone.now()
    counts: Any = SimpleLazyObject(lambda: rail_counts(user, now))
    return {
        "engine_state": SimpleLazyObject(lambda: _engine_state(counts, now)),
        "rail": SimpleLazyObject(lambda: _rail(user, request.get_full_path(), counts)),
        "inbox_count": SimpleLazyObject(lambda: counts.get("inbox", 0)),
        "may_open_case": user.can(Permission.CASE_OPEN),
        "theme": user.theme,
        "has_shortcuts": user.has_shortcuts,
    }
