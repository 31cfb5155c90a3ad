"""How the engine is, judged by its effect: somebody ran a round lately, and nothing due is waiting for long."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count

from notifications.models import DUE_STATES, Delivery, DeliveryState, EngineHeartbeat
from notifications.outbox import due_ages

LATE_HEARTBEAT = timedelta(seconds=30)
LATE_DELIVERY = timedelta(seconds=60)


@dataclass(frozen=True)
class Condition:
    """`heartbeat_age` is None when nothing ever ran; `oldest_due` is None when nothing is due."""

    heartbeat_age: timedelta | None
    oldest_due: timedelta | None

    @property
    def is_alive(self) -> bool:
        return self.heartbeat_age is not None and self.heartbeat_age < LATE_HEARTBEAT

    @property
    def is_on_time(self) -> bool:
        return self.oldest_due is None or self.oldest_due < LATE_DELIVERY

    @property
    def is_ok(self) -> bool:
        return self.is_alive and self.is_on_time


def condition(now: datetime) -> Condition:
    """The engine's state at `now`; two small queries, cheap enough for every staff page."""
    newest = EngineHeartbeat.objects.order_by("-at", "pk").values_list("at", flat=True).first()
    return Condition(
        heartbeat_age=None if newest is None else now - newest,
        oldest_due=max(due_ages().values(), default=None),
    )


def counts_by_queue() -> list[dict[str, Any]]:
    """What is on its way or was given up, by queue and state; what has arrived is not counted."""
    states = [*DUE_STATES, DeliveryState.LEASED, DeliveryState.DEAD]
    rows = Delivery.objects.filter(state__in=states).values("queue", "state").annotate(number=Count("pk"))
    return [dict(row) for row in rows.order_by("queue", "state")]
