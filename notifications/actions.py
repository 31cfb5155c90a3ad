"""What people do with messages: open them, acknowledge alerts, have a dead delivery sent again."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts import audit
from accounts.models import Membership, User
from notifications.followups import MESSAGE_ACKNOWLEDGED
from notifications.models import (
    Acknowledgement,
    Delivery,
    DeliveryState,
    DutyPerson,
    EngineHeartbeat,
    Message,
)
from notifications.outbox import NOTIFY_CHANNEL, cancel_pending


class NothingToAcknowledgeError(Exception):
    """The message does not ask for an acknowledgement."""


class NotActingError(Exception):
    """The person acts in no membership, so nothing can be done in their name."""


class NotDeadError(Exception):
    """Only a delivery that was given up can be sent again."""


@transaction.atomic
def acknowledge(*, message: Message, by: User, how: str, note: str, now: datetime) -> Acknowledgement:
    """Say that somebody takes care. The first one counts: whoever comes later is given that one.

    Opens the message in the recipient's inbox if it is the recipient who acknowledges.
    Raises: NothingToAcknowledgeError, NotActingError."""
    if not message.needs_acknowledgement:
        raise NothingToAcknowledgeError
    if by.acting is None:
        raise NotActingError
    row = Acknowledgement(message=message, by=by.acting, at=now, how=how, note=note[:500])
    Acknowledgement.objects.bulk_create([row], ignore_conflicts=True)
    acknowledgement = Acknowledgement.objects.select_related("by__user").get(message=message)
    is_first = acknowledgement.by_id == by.acting.pk and acknowledgement.at == now
    if is_first:
        mark_opened(by=by, now=now, message=message)
        MESSAGE_ACKNOWLEDGED.call(message=message, by=by, now=now)
    return acknowledgement


def mark_opened(
    *, by: User, now: datetime, message: Message | None = None, subject: str | None = None
) -> int:
    """Mark as opened in the person's own inbox: one message, all about a subject, or all; how many were not yet.

    Opening a page that shows everything about a subject opens its messages."""
    unread = Delivery.objects.inbox_of(by).unread()
    if message is not None:
        unread = unread.filter(message=message)
    if subject is not None:
        unread = unread.filter(message__subject=subject)
    return unread.update(opened_at=now)


@transaction.atomic
def send_again(*, delivery: Delivery, by: User, now: datetime) -> Delivery:
    """Give a dead delivery a new start, with all its tries before it. Raises: NotDeadError."""
    changed = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.DEAD).update(
        state=DeliveryState.PENDING, attempts=0, losses=0, next_at=now
    )
    if not changed:
        raise NotDeadError
    audit.record("delivery.sent_again", by=by, subject=delivery.key, now=now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [NOTIFY_CHANNEL, delivery.queue])
    delivery.refresh_from_db()
    return delivery


def leave_to_others(
    *, membership: Membership, successor: Membership | None, by: User | None, now: datetime
) -> None:
    """A membership ended: nothing more is sent to it, and its duties pass to the delegate or the successor."""
    cancel_pending(membership=membership, reason="membership ended", now=now)
    DutyPerson.objects.filter(delegate=membership).update(delegate=None)
    duties = DutyPerson.objects.filter(membership=membership).select_related("delegate__user", "level")
    for duty in duties.select_for_update(of=("self",)):
        _hand_on(duty, successor)


def _hand_on(duty: DutyPerson, successor: Membership | None) -> None:
    """To whoever is there. A duty that its heir has already, or that has no heir, falls away."""
    heir = successor or duty.delegate
    has_it = DutyPerson.objects.filter(level=duty.level, membership=heir, starts=duty.starts).exists()
    if heir is None or not heir.is_active or has_it:
        duty.delete()
        return
    duty.membership, duty.delegate = heir, None
    duty.absent_from = duty.absent_until = None
    duty.save(update_fields=["membership", "delegate", "absent_from", "absent_until"])


def record_heartbeat(*, runner: str, detail: dict[str, Any], now: datetime) -> None:
    """Say that a runner came through a round; one row per runner, the newest only."""
    row = EngineHeartbeat(runner=runner, at=now, detail=detail)
    EngineHeartbeat.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["runner"], update_fields=["at", "detail"]
    )
