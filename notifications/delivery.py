"""Delivery: lease, check, send outside any transaction, settle only while the lease is still held.

At least once on the wire with a stable Message-ID, exactly once in the inbox. The database's clock alone
decides what is due and which lease is over.
"""

import logging
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from notifications import kinds
from notifications.channels import Answer, MailChannel
from notifications.followups import DELIVERY_DEAD
from notifications.kinds import Channel, Pair, Queue
from notifications.models import Attempt, Delivery, DeliveryState, Incident, Message
from notifications.outbox import NO_LEASE
from notifications.owner import LOCK_SPACE

log = logging.getLogger(__name__)

LEASE_SECONDS = 90
MAX_FAILURES = 12
MAX_LOSSES = 10
# After so long a batch hands back what it has not sent, so that what has become more urgent is not kept waiting.
BATCH_SECONDS = 5.0
FINAL_STATES = (DeliveryState.SENT, DeliveryState.DEAD)
URGENT = 1
# Seconds before the next attempt, by the number of failures so far; the last one stays.
URGENT_BACKOFF = (1, 2, 5, 10, 30, 60, 120, 300, 600)
PATIENT_BACKOFF = (10, 30, 60, 120, 300, 600, 1200, 1800)

# The owners that live are those whose session lock is held; a sub-select that never runs while nothing is leased.
RECLAIM = """
WITH lost AS (
    SELECT id, lease_owner FROM notifications_delivery
     WHERE state = 'leased'
       AND (lease_until <= statement_timestamp()
            OR lease_owner NOT IN (SELECT objid::bigint FROM pg_locks
                                    WHERE locktype = 'advisory' AND classid = %(space)s AND objsubid = 2 AND granted
                                      AND database = (SELECT oid FROM pg_database
                                                       WHERE datname = current_database())))
       FOR UPDATE SKIP LOCKED)
UPDATE notifications_delivery d
   SET losses = d.losses + 1, next_at = statement_timestamp(),
       state = CASE WHEN d.losses + 1 >= %(most)s THEN 'dead' ELSE 'failed' END,
       lease_token = NULL, lease_owner = NULL, lease_until = NULL
  FROM lost WHERE d.id = lost.id
RETURNING d.id, lost.lease_owner, d.state
"""
LEASE = """
WITH due AS (
    SELECT id FROM notifications_delivery
     WHERE state IN ('pending', 'failed') AND next_at <= statement_timestamp() AND queue = ANY(%(queues)s)
     ORDER BY urgency, next_at, id LIMIT %(limit)s
       FOR UPDATE SKIP LOCKED)
UPDATE notifications_delivery d
   SET state = 'leased', lease_token = gen_random_uuid(), lease_owner = %(owner)s,
       lease_until = statement_timestamp() + make_interval(secs => %(seconds)s)
  FROM due WHERE d.id = due.id
RETURNING d.id
"""
SETTLE_INBOX = """
UPDATE notifications_delivery d
   SET state = 'confirmed', sent_at = statement_timestamp(), attempts = d.attempts + 1,
       first_attempted_at = coalesce(d.first_attempted_at, statement_timestamp()),
       lease_token = NULL, lease_owner = NULL, lease_until = NULL
  FROM unnest(%(ids)s::bigint[], %(tokens)s::uuid[]) held (id, token)
 WHERE d.id = held.id AND d.state = 'leased' AND d.lease_token = held.token
"""


def reclaim() -> int:
    """Void the leases that are over or whose owner is dead; the number of them. The tenth loss is the end."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(RECLAIM, {"space": LOCK_SPACE, "most": MAX_LOSSES})
            lost = cursor.fetchall()
        now = timezone.now()
        Attempt.objects.bulk_create(
            Attempt(delivery_id=pk, at=now, owner=owner, outcome=Attempt.Outcome.LOST)
            for pk, owner, _ in lost
        )
    _tell_of_the_dead([pk for pk, _, state in lost if state == DeliveryState.DEAD])
    return len(lost)


def lease(*, limit: int, owner: int, queue: str | None = None) -> list[Delivery]:
    """Take up to `limit` due deliveries for 90 seconds, the most urgent first.

    `owner` is a `LeaseOwner.id`. `queue` means that queue and those before it; None means all."""
    reclaim()
    queues = Queue.values[: Queue.values.index(queue) + 1] if queue else Queue.values
    with connection.cursor() as cursor:
        cursor.execute(LEASE, {"queues": queues, "limit": limit, "owner": owner, "seconds": LEASE_SECONDS})
        pks = [row[0] for row in cursor.fetchall()]
    if not pks:
        return []
    leased = Delivery.objects.filter(pk__in=pks, state=DeliveryState.LEASED, lease_owner=owner)
    return list(leased.select_related("message__recipient__user").order_by("urgency", "next_at", "pk"))


def check(batch: Sequence[Delivery]) -> list[Delivery]:
    """Those that may be sent: the recipient is still there and may still be told. The others are suppressed."""
    refused: dict[str, list[Delivery]] = defaultdict(list)
    unknown: list[Delivery] = []
    active = []
    for delivery in batch:
        recipient = delivery.message.recipient
        if recipient is None or recipient.is_active:
            active.append(delivery)
        else:
            refused["membership ended"].append(delivery)
    by_kind: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in active:
        by_kind[delivery.message.kind].append(delivery)
    allowed: set[int] = set()
    for name, deliveries in by_kind.items():
        told = _may_tell(name, [_pair(d) for d in deliveries])
        if told is None:
            unknown += deliveries
            continue
        allowed |= {d.pk for d in deliveries if _pair(d) in told}
        refused["may not be told any more"] += [d for d in deliveries if _pair(d) not in told]
    for reason, deliveries in refused.items():
        _suppress(deliveries, reason)
    for delivery in unknown:
        settle(delivery, Answer(is_accepted=False, text=f"the kind {delivery.message.kind} cannot be asked"))
    return [d for d in active if d.pk in allowed]


def _pair(delivery: Delivery) -> Pair:
    # 0 stands for a bare address, of which only kinds that tell everybody are asked
    return delivery.recipient_id or 0, delivery.message.subject


def _may_tell(kind: str, pairs: Sequence[Pair]) -> set[Pair] | None:
    """The allowed pairs; None if nobody can be asked now, so that the delivery waits and is not lost."""
    try:
        with transaction.atomic():
            return set(kinds.get(kind).may_tell(pairs))
    except Exception:
        log.exception("Nobody can say who may be told of %s", kind)
        return None


def _suppress(deliveries: Iterable[Delivery], reason: str) -> None:
    for delivery in deliveries:
        Delivery.objects.filter(pk=delivery.pk).leased_with(delivery.lease_token).update(
            state=DeliveryState.SUPPRESSED, suppressed_reason=reason, suppressed_at=Now(), **NO_LEASE
        )


def still_held(delivery: Delivery) -> bool:
    """Whether the lease stands at this moment: the last look before something leaves the house."""
    mine = Delivery.objects.filter(pk=delivery.pk, lease_until__gt=Now())
    return mine.leased_with(delivery.lease_token).exists()


def confirm_inbox(deliveries: Sequence[Delivery]) -> int:
    """Put a whole batch into its inboxes in one statement; the number that were still ours."""
    if not deliveries:
        return 0
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "ids": [d.pk for d in deliveries],
            "tokens": [str(d.lease_token) for d in deliveries],
        }
        cursor.execute(SETTLE_INBOX, values)
        return int(cursor.rowcount)


def settle(delivery: Delivery, answer: Answer) -> str:
    """Write down what came of an attempt; the new state, or "lost" if the lease was not ours any more."""
    owner, token = delivery.lease_owner, delivery.lease_token
    state = _state_after(delivery, answer)
    failures = delivery.attempts + 1
    with transaction.atomic():
        changed = (
            Delivery.objects.filter(pk=delivery.pk)
            .leased_with(token)
            .update(
                state=state,
                attempts=F("attempts") + 1,
                first_attempted_at=Coalesce("first_attempted_at", Now()),
                sent_at=Now() if answer.is_accepted else None,
                next_at=Now() + Value(backoff(urgency=delivery.urgency, failures=failures)),
                answer=answer.text[:500],
                **NO_LEASE,
            )
        )
        if state in FINAL_STATES and kinds.get(delivery.message.kind).is_secret:
            Message.objects.filter(pk=delivery.message_id).update(context={})
        Attempt.objects.create(
            delivery=delivery,
            at=timezone.now(),
            owner=owner or 0,
            outcome=_outcome(answer),
            is_settled=bool(changed),
            answer=answer.text[:500],
        )
    if not changed:
        return Attempt.Outcome.LOST
    if state == DeliveryState.DEAD:
        _tell_of_the_dead([delivery.pk])
    return state


def _state_after(delivery: Delivery, answer: Answer) -> DeliveryState:
    if answer.is_accepted:
        return DeliveryState.SENT
    if answer.is_permanent or delivery.attempts + 1 >= MAX_FAILURES:
        return DeliveryState.DEAD
    return DeliveryState.FAILED


def _outcome(answer: Answer) -> str:
    if answer.is_accepted:
        return Attempt.Outcome.ACCEPTED
    return Attempt.Outcome.REFUSED if answer.is_permanent else Attempt.Outcome.FAILED


def backoff(*, urgency: int, failures: int) -> timedelta:
    """How long to wait after so many failures, a fifth more or less, so that a crowd does not come back at once."""
    steps = URGENT_BACKOFF if urgency <= URGENT else PATIENT_BACKOFF
    seconds = steps[min(failures, len(steps)) - 1]
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311  # nosec B311  # spreads load only


def _tell_of_the_dead(pks: Sequence[int]) -> None:
    """Call DELIVERY_DEAD for each by itself: a follow-up that fails is an incident and stops no other."""
    if not pks:
        return
    now = timezone.now()
    for delivery in Delivery.objects.filter(pk__in=pks).select_related("message__recipient__user"):
        try:
            with transaction.atomic():
                DELIVERY_DEAD.call(delivery=delivery, now=now)
        except Exception as error:
            log.exception("A follow-up of the dead delivery %s failed", delivery.key)
            detail = {"delivery": delivery.key, "error": f"{type(error).__name__}: {error}"}
            Incident.objects.create(at=now, kind="dead_delivery_not_followed_up", detail=detail)


def release(deliveries: Sequence[Delivery]) -> None:
    """Give leases back unused, for whoever is next."""
    if deliveries:
        tokens = [d.lease_token for d in deliveries]
        pks = [d.pk for d in deliveries]
        held = Delivery.objects.filter(pk__in=pks, state=DeliveryState.LEASED, lease_token__in=tokens)
        held.update(state=DeliveryState.PENDING, **NO_LEASE)


def run_batch(owner: int, limit: int = 100, queue: str | None = None) -> dict[str, int]:
    """One round: what was leased and what became of it, counted by state. Nothing leased: nothing was due."""
    batch = lease(limit=limit, owner=owner, queue=queue)
    counts: Counter[str] = Counter(leased=len(batch))
    if not batch:
        return dict(counts)
    allowed = check(batch)
    counts["withheld"] = len(batch) - len(allowed)
    counts["confirmed"] = confirm_inbox([d for d in allowed if d.channel == Channel.INBOX])
    counts.update(send([d for d in allowed if d.channel == Channel.MAIL]))
    return {name: count for name, count in counts.items() if count or name == "leased"}


def send(mails: Sequence[Delivery]) -> dict[str, int]:
    """Send mails one by one, each settled by itself; hands back the rest when the batch's time is over."""
    counts: Counter[str] = Counter()
    if not mails:
        return counts
    end = time.monotonic() + BATCH_SECONDS
    with MailChannel() as channel:
        for index, delivery in enumerate(mails):
            if time.monotonic() > end:
                release(mails[index:])
                counts["released"] += len(mails) - index
                break
            counts[_send_one(channel, delivery)] += 1
    return counts


def _send_one(channel: MailChannel, delivery: Delivery) -> str:
    if not still_held(delivery):
        return "lost"
    return settle(delivery, channel.send(delivery))


def run_until_idle(
    owner: int, *, seconds: float, limit: int = 100, queue: str | None = None
) -> dict[str, int]:
    """Batches until nothing is due or the time is over; the counts of all of them."""
    total: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        counts: dict[str, Any] = run_batch(owner, limit, queue)
        total.update(counts)
        if not counts["leased"]:
            break
    return dict(total)
