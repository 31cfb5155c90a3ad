"""The outbox: what is to be told is a row, written in the transaction of the change it tells of."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import Min, Q
from django.db.models.functions import Now

from accounts.models import Membership
from notifications import kinds
from notifications.kinds import Channel
from notifications.models import DUE_STATES, Delivery, DeliveryState, Message

ACCOUNT_MAIL = "account_mail"
NOTIFY_CHANNEL = "portal_outbox"
# Below it everything is an alert, whose mail and inbox row go together.
FIRST_PATIENT_URGENCY = 2
NO_LEASE: dict[str, None] = {"lease_token": None, "lease_owner": None, "lease_until": None}

INSERT_MESSAGES = """
INSERT INTO notifications_message
       (kind, recipient_id, subject, path, context, dedupe_key, urgency, needs_acknowledgement, created_at,
        address)
SELECT %(kind)s, r, %(subject)s, %(path)s, %(context)s::jsonb, %(dedupe)s || ':' || r,
       %(urgency)s, %(needs)s, %(now)s, ''
  FROM unnest(%(recipients)s::bigint[]) r
    ON CONFLICT (dedupe_key) DO NOTHING
"""
SELECT_MESSAGES = """
SELECT m.* FROM notifications_message m
  JOIN unnest(%(recipients)s::bigint[]) r ON m.dedupe_key = %(dedupe)s || ':' || r
 ORDER BY m.id
"""
INSERT_DELIVERIES = """
INSERT INTO notifications_delivery
       (message_id, channel, key, recipient_id, queue, urgency, state, attempts, losses, next_at, answer,
        suppressed_reason)
SELECT m.id, c.channel, m.dedupe_key || ':' || c.channel, m.recipient_id, %(queue)s, c.urgency, 'pending', 0, 0,
       %(now)s, '', ''
  FROM notifications_message m
 CROSS JOIN unnest(%(channels)s::varchar[], %(urgencies)s::smallint[]) c (channel, urgency)
 WHERE m.id = ANY(%(messages)s)
    ON CONFLICT (key) DO NOTHING
"""


def enqueue(
    *,
    kind: str,
    recipients: Iterable[Membership],
    subject: str,
    path: str,
    context: dict[str, Any],
    dedupe: str,
    now: datetime,
    urgency: int | None = None,
) -> list[Message]:
    """Write one message per recipient and one delivery per channel, once and for all for this `dedupe`.

    Belongs into the transaction of the change it tells of; the engine is woken when that commits. Enqueueing
    again changes nothing and gives the same messages. `context` is what the templates may show, as it is now:
    keys ending in `_at` hold UTC times, in `_on` dates. `urgency` replaces the kind's own (an alert of P1 or P2).

    Raises: kinds.UnknownKindError."""
    known = kinds.get(kind)
    urgency = known.urgency if urgency is None else urgency
    values = {
        "kind": kind,
        "subject": subject,
        "path": path,
        "context": json.dumps(context, cls=DjangoJSONEncoder),
        "dedupe": dedupe,
        "urgency": urgency,
        "needs": known.needs_acknowledgement,
        "now": now,
        "recipients": list(dict.fromkeys(r.pk for r in recipients)),
        "queue": known.queue,
        "channels": list(known.channels),
        "urgencies": [_urgency_by(channel, urgency) for channel in known.channels],
    }
    return _insert(values) if values["recipients"] else []


@transaction.atomic
def _insert(values: dict[str, Any]) -> list[Message]:
    with connection.cursor() as cursor:
        cursor.execute(INSERT_MESSAGES, values)
        messages = list(Message.objects.raw(SELECT_MESSAGES, values))
        cursor.execute(INSERT_DELIVERIES, {**values, "messages": [m.pk for m in messages]})
        if cursor.rowcount:
            cursor.execute("SELECT pg_notify(%s, %s)", [NOTIFY_CHANNEL, values["queue"]])
    return messages


def _urgency_by(channel: str, urgency: int) -> int:
    """Mail takes milliseconds each, an inbox row none: of a thousand notices the inboxes are filled first."""
    return urgency + 1 if channel == Channel.MAIL and urgency >= FIRST_PATIENT_URGENCY else urgency


@transaction.atomic
def enqueue_mail(*, address: str, mail_subject: str, text: str, html: str, now: datetime) -> Message:
    """Write one mail of the account itself (an invitation, a reset) to a bare address.

    Its text is wiped once it is sent: it holds links that open an account."""
    known = kinds.get(ACCOUNT_MAIL)
    message = Message.objects.create(
        kind=ACCOUNT_MAIL,
        address=address,
        subject="account",
        path="/",
        context={"mail_subject": mail_subject, "text": text, "html": html},
        dedupe_key=f"{ACCOUNT_MAIL}:{uuid4()}",
        urgency=known.urgency,
        created_at=now,
    )
    Delivery.objects.create(
        message=message,
        channel=Channel.MAIL,
        key=f"{message.dedupe_key}:{Channel.MAIL}",
        queue=known.queue,
        urgency=known.urgency,
        next_at=now,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [NOTIFY_CHANNEL, known.queue])
    return message


@transaction.atomic
def cancel_pending(
    *,
    reason: str,
    now: datetime,
    membership: Membership | None = None,
    subject: str | None = None,
    kind_names: Collection[str] | None = None,
) -> int:
    """Suppress what is on its way to a membership or about a subject, or both; the number of deliveries.

    A runner that has leased one loses it here and does not send; what it has put on the wire already shows
    as an attempt that was not settled. Raises: TypeError without a membership and a subject."""
    if membership is None and subject is None:
        raise TypeError("cancel_pending needs a membership or a subject")
    wanted = Q()
    if membership is not None:
        wanted &= Q(recipient=membership)
    if subject is not None:
        wanted &= Q(message__subject=subject)
    if kind_names is not None:
        wanted &= Q(message__kind__in=kind_names)
    on_its_way = Delivery.objects.filter(wanted, state__in=[*DUE_STATES, DeliveryState.LEASED])
    return Delivery.objects.filter(pk__in=on_its_way.values("pk")).update(
        state=DeliveryState.SUPPRESSED,
        suppressed_reason=reason[:200],
        suppressed_at=now,
        **NO_LEASE,
    )


def due_ages() -> dict[str, timedelta]:
    """By queue, how long the oldest due delivery has been waiting, by the database's clock."""
    due = Delivery.objects.waiting().filter(next_at__lte=Now())
    rows = due.values_list("queue").annotate(age=Now() - Min("next_at"))
    return dict(rows)
