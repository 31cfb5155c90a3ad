"""The ladders of cases as a page shows them: each rung, who was told, and what has become of each alert."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Subquery
from django.utils.functional import Promise

from accounts.models import User
from accounts.roles import Permission
from cases.ladder import REASONS
from cases.models import Case, Rung
from cases.notices import ALERT
from cases.workflow import RungState
from notifications.models import Delivery, DeliveryState, DutyLevel, DutyPerson, Message


@dataclass(kw_only=True)
class Step:
    """One level of the latest ladder of a case. Moments in UTC; names only where the reader may know them."""

    level: str
    number: int
    title: str
    state: str
    due_at: datetime | None
    fired_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str = ""
    reason: str | Promise = ""
    who: str = ""
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    alerts: list[Message] = field(default_factory=list)

    @property
    def is_unanswered(self) -> bool:
        """Alerted, and nobody has acknowledged yet."""
        return self.state == RungState.FIRED and self.acknowledged_at is None

    def alert_for(self, user: User) -> Message | None:
        """The alert that this person is to acknowledge, if there is one."""
        if not self.is_unanswered or user.acting is None:
            return None
        mine = (alert for alert in self.alerts if alert.recipient_id == user.acting.pk)
        return next((alert for alert in mine if alert.acknowledged is None), None)


def ladders_of(cases: Collection[Case], user: User) -> dict[int, list[Step]]:
    """The latest ladder of each case, lowest level first, by `Case.pk`: one query for customers, three for staff.

    Customers learn that management was informed, at which level and when (C22); who, and how the message
    travelled, is for staff."""
    sees_staff = user.can(Permission.CASE_VIEW_ALL)
    rungs: dict[int, list[Rung]] = defaultdict(list)
    for rung in _rungs(cases, user):
        ladder = rungs[rung.cycle.case_id]
        if ladder and ladder[0].cycle.number != rung.cycle.number:
            ladder.clear()
        ladder.append(rung)
    alerts = _alerts(cases) if sees_staff and rungs else {}
    return {
        pk: [_step(rung, alerts.get((pk, rung.cycle.number, rung.level), []), sees_staff) for rung in ladder]
        for pk, ladder in rungs.items()
    }


def _rungs(cases: Collection[Case], user: User) -> Iterable[Rung]:
    people = DutyPerson.objects.filter(level__level=OuterRef("level"), membership__ended_at=None)
    names = people.order_by("membership__user__name").values("membership__user__name")
    title = DutyLevel.objects.filter(level=OuterRef("level")).values("name")
    rungs = Rung.objects.visible_to(user).filter(cycle__case__in=[case.pk for case in cases])
    rungs = rungs.select_related("cycle", "acknowledged_by__user")
    rungs = rungs.annotate(title=Subquery(title[:1]), people=ArraySubquery(names[:3]))
    return rungs.order_by("cycle__case_id", "cycle__number", "level")


def _alerts(cases: Collection[Case]) -> dict[tuple[int, int, int], list[Message]]:
    alerts = Message.objects.filter(kind=ALERT, subject__in=[case.subject for case in cases])
    alerts = alerts.select_related("recipient__user", "acknowledgement__by__user").order_by("pk")
    by_rung: dict[tuple[int, int, int], list[Message]] = defaultdict(list)
    for alert in alerts.prefetch_related("deliveries"):
        context: dict[str, Any] = alert.context
        by_rung[context["case_id"], context["cycle"], context["level"]].append(alert)
    return by_rung


def _step(rung: Rung, alerts: list[Message], sees_staff: bool) -> Step:
    title, people = getattr(rung, "title", None), getattr(rung, "people", None)
    step = Step(
        level=f"L{rung.level}",
        number=rung.level,
        title=title or "",
        state=rung.state,
        due_at=rung.next_at,
        fired_at=rung.fired_at,
        acknowledged_at=rung.acknowledged_at,
        reason=REASONS.get(rung.reason, rung.reason),
        alerts=alerts,
    )
    if not sees_staff:
        return step
    step.acknowledged_by = rung.acknowledged_by.user.name if rung.acknowledged_by else ""
    step.who = ", ".join([alert.to for alert in alerts] or people or [])
    mails = [alert.mail for alert in alerts if alert.mail is not None]
    step.sent_at = _first(mails)
    step.delivered_at = _first(alert.inbox for alert in alerts if alert.inbox is not None)
    if mails and step.acknowledged_at is None and all(mail.state == DeliveryState.DEAD for mail in mails):
        step.state = "dead"
    return step


def _first(deliveries: Iterable[Delivery]) -> datetime | None:
    return min((one.sent_at for one in deliveries if one.sent_at is not None), default=None)
