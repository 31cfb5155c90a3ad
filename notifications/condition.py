"""How the engine is, judged by its effect: somebody ran a round lately, and nothing due is waiting for long."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Subquery
from django.db.models.functions import Now

from notifications.models import DUE_STATES, Delivery, DeliveryState, EngineHeartbeat
from notifications.outbox import due_ages

LATE_HEARTBEAT = timedelta(seconds=30)
LATE_DELIVERY = timedelta(seconds=60)


@dataclass(frozen=True)
class Condition:
    """`heartbeat_age` is None when nothing ever ran; `oldest_due` is None when nothing is due."""

    heartbeat_age: timedelta | None
    oldest_due: timedelta | None

    @classmethod
    def of(
        cls, *, heartbeat_at: datetime | None, oldest_due_at: datetime | None, now: datetime
    ) -> "Condition":
        """From the two moments that `condition_of_the_engine` gives."""
        return cls(
            heartbeat_age=None if heartbeat_at is None else now - heartbeat_at,
            oldest_due=None if oldest_due_at is None else now - oldest_due_at,
        )

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


def condition_of_the_engine() -> dict[str, Subquery]:
    """When a round last ended, and since when the oldest due delivery waits, as parts of another query."""
    beats = EngineHeartbeat.objects.order_by("-at", "pk").values("at")[:1]
    due = (
        Delivery.objects.waiting().filter(next_at__lte=Now()).order_by("next_at", "pk").values("next_at")[:1]
    )
    return {"heartbeat_at": Subquery(beats), "oldest_due_at": Subquery(due)}


def counts_by_queue() -> list[dict[str, Any]]:
    """What is on its way or was given up, by queue and state; what has arrived is not counted."""
    states = [*DUE_STATES, DeliveryState.LEASED, DeliveryState.DEAD]
    rows = Delivery.objects.filter(state__in=states).values("queue", "state").annotate(number=Count("pk"))
    return [dict(row) for row in rows.order_by("queue", "state")]
