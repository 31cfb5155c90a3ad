import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from accounts.actions import end_membership
from accounts.models import User
from notifications import delivery, outbox
from notifications.channels import Answer
from notifications.delivery import (
    MAX_FAILURES,
    MAX_LOSSES,
    backoff,
    check,
    lease,
    reclaim,
    run_batch,
    run_until_idle,
    settle,
)
from notifications.followups import DELIVERY_DEAD
from notifications.kinds import Channel, Pair, Queue
from notifications.models import Attempt, Delivery, DeliveryState, Incident
from notifications.owner import LeaseOwner
from tests.factories import NOW
from tests.notifications.conftest import Enqueue, MailServer

ACCEPTED = Answer(is_accepted=True, text="250 OK")


def the_mail() -> Delivery:
    return Delivery.objects.get(channel=Channel.MAIL)


def make_due() -> None:
    Delivery.objects.waiting().update(next_at=NOW)


# The way of one message


def test_a_message_arrives_in_the_inbox_and_by_mail(
    enqueue: Enqueue, alice: User, owner: int, mail_server: MailServer
) -> None:
    enqueue(alice, kind="test_alert")

    counts = run_batch(owner)

    assert counts == {"leased": 2, "confirmed": 1, "sent": 1}
    assert dict(Delivery.objects.values_list("channel", "state")) == {
        Channel.INBOX: DeliveryState.CONFIRMED,
        Channel.MAIL: DeliveryState.SENT,
    }
    mail = the_mail()
    assert (mail.attempts, mail.answer, mail.lease_token) == (1, "250 2.0.0 kept as 1", None)
    assert mail.sent_at is not None
    assert mail_server.recipients == ["alice@acme.example"]
    assert Delivery.objects.unread_count(alice) == 1
    (attempt,) = mail.attempt_rows.all()
    assert (attempt.outcome, attempt.is_settled, attempt.owner) == (Attempt.Outcome.ACCEPTED, True, owner)


def test_nothing_is_sent_before_it_is_due(
    enqueue: Enqueue, alice: User, owner: int, mail_server: MailServer
) -> None:
    enqueue(alice, now=timezone.now() + timedelta(seconds=30))
    assert run_batch(owner) == {"leased": 0}
    assert mail_server.mails == []


def test_the_most_urgent_goes_first_whatever_came_before(
    enqueue: Enqueue, alice: User, anna: User, owner: int
) -> None:
    enqueue(alice, kind="test_patch", dedupe="a")
    enqueue(alice, kind="test_notice", dedupe="b", now=NOW + timedelta(minutes=1))
    enqueue(anna, kind="test_alert", dedupe="c", now=NOW + timedelta(minutes=2))
    kinds = [d.message.kind for d in lease(limit=10, owner=owner)]
    assert kinds == ["test_alert"] * 2 + ["test_notice"] * 2 + ["test_patch"] * 2


def test_a_queue_means_itself_and_those_before_it(enqueue: Enqueue, alice: User, owner: int) -> None:
    enqueue(alice, kind="test_patch", dedupe="a")
    enqueue(alice, kind="test_alert", dedupe="b")
    assert {d.queue for d in lease(limit=10, owner=owner, queue=Queue.ALERTS)} == {Queue.ALERTS}
    assert {d.queue for d in lease(limit=10, owner=owner, queue=Queue.NOTICES)} == {Queue.NOTICES}


def test_a_batch_of_a_hundred_costs_no_more_queries_than_one_of_two(
    enqueue: Enqueue, alice: User, anna: User, owner: int, django_assert_max_num_queries: Any
) -> None:
    for n in range(50):
        enqueue(alice, anna, dedupe=f"n{n}")
    Delivery.objects.filter(channel=Channel.MAIL).update(next_at=timezone.now() + timedelta(hours=1))
    with django_assert_max_num_queries(8):  # reclaim and lease, read, ask in a savepoint, settle
        assert run_batch(owner)["confirmed"] == 100


# Who may still be told


def test_what_a_leaver_was_to_get_is_suppressed_when_the_membership_ends(
    enqueue: Enqueue, anna: User, alice: User, owner: int, mail_server: MailServer
) -> None:
    enqueue(anna, alice)
    assert anna.acting is not None
    end_membership(membership=anna.acting, successor=None, reason="left", by=alice, now=timezone.now())

    assert run_batch(owner)["leased"] == 2
    assert mail_server.recipients == ["alice@acme.example"]
    reasons = Delivery.objects.filter(recipient=anna.acting).values_list("state", "suppressed_reason")
    assert set(reasons) == {(DeliveryState.SUPPRESSED, "membership ended")}


def test_somebody_who_is_not_there_any_more_is_noticed_just_before_sending(
    enqueue: Enqueue, anna: User, owner: int, mail_server: MailServer
) -> None:
    enqueue(anna)
    User.objects.filter(pk=anna.pk).update(is_active=False)
    assert run_batch(owner) == {"leased": 2, "withheld": 2}
    assert mail_server.mails == []
    assert set(Delivery.objects.values_list("suppressed_reason", flat=True)) == {"membership ended"}


@pytest.mark.attack("notification to somebody who may no longer see the case")
def test_what_somebody_may_not_be_told_any_more_is_suppressed(
    enqueue: Enqueue, alice: User, anna: User, owner: int, mail_server: MailServer, forbidden: set[Pair]
) -> None:
    enqueue(alice, anna)
    assert anna.acting is not None
    forbidden.add((anna.acting.pk, "case:2026-1122-0007"))

    run_batch(owner)

    assert mail_server.recipients == ["alice@acme.example"]
    states = set(Delivery.objects.filter(recipient=anna.acting).values_list("state", "suppressed_reason"))
    assert states == {(DeliveryState.SUPPRESSED, "may not be told any more")}


def test_a_message_waits_while_nobody_can_say_who_may_be_told(
    enqueue: Enqueue, alice: User, owner: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue(alice)
    monkeypatch.setattr(delivery.kinds, "_kinds", {})
    assert run_batch(owner)["withheld"] == 2
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.FAILED}


def test_a_lease_that_was_cancelled_meanwhile_is_not_sent(
    enqueue: Enqueue, alice: User, owner: int, mail_server: MailServer
) -> None:
    enqueue(alice)
    batch = check(lease(limit=10, owner=owner))
    outbox.cancel_pending(subject="case:2026-1122-0007", reason="acknowledged", now=NOW)

    assert delivery.confirm_inbox([d for d in batch if d.channel == Channel.INBOX]) == 0
    assert delivery.send([d for d in batch if d.channel == Channel.MAIL]) == {"lost": 1}
    assert mail_server.mails == []


# What goes wrong


def test_one_bad_address_stops_nobody_else(
    enqueue: Enqueue, alice: User, anna: User, minsu: User, owner: int, mail_server: MailServer
) -> None:
    mail_server.refused = {"anna@acme.example"}
    enqueue(alice, anna, minsu)

    assert run_batch(owner) == {"leased": 6, "confirmed": 3, "sent": 2, "dead": 1}
    assert sorted(mail_server.recipients) == ["alice@acme.example", "minsu@hanbit.example"]
    dead = Delivery.objects.get(state=DeliveryState.DEAD)
    assert (dead.recipient, dead.answer) == (anna.acting, "550 5.1.1 nobody of that name")


def test_a_temporary_refusal_is_tried_again_after_a_while(
    enqueue: Enqueue, alice: User, owner: int, mail_server: MailServer
) -> None:
    mail_server.replies = ["451 4.3.0 come back later"]
    enqueue(alice, kind="test_alert")

    assert run_batch(owner)["failed"] == 1
    mail = the_mail()
    assert (mail.state, mail.answer) == (DeliveryState.FAILED, "451 4.3.0 come back later")
    assert timedelta(0) < mail.next_at - timezone.now() < timedelta(seconds=1.3)

    make_due()
    assert run_batch(owner) == {"leased": 1, "sent": 1}
    outcomes = the_mail().attempt_rows.order_by("pk").values_list("outcome", flat=True)
    assert list(outcomes) == [Attempt.Outcome.FAILED, Attempt.Outcome.ACCEPTED]


def test_a_refusal_for_good_is_the_end(
    enqueue: Enqueue, alice: User, owner: int, mail_server: MailServer
) -> None:
    mail_server.replies = ["554 5.7.1 we do not want this"]
    enqueue(alice)
    assert run_batch(owner)["dead"] == 1
    assert the_mail().attempt_rows.get().outcome == Attempt.Outcome.REFUSED


def test_a_server_that_is_not_there_is_nobody_s_fault(
    enqueue: Enqueue, alice: User, owner: int, mail_server: MailServer, settings: Any
) -> None:
    settings.EMAIL_PORT = 1
    enqueue(alice)
    assert run_batch(owner) == {"leased": 2, "confirmed": 1, "failed": 1}
    assert the_mail().answer.startswith("ConnectionRefusedError")


def test_the_twelfth_failure_is_the_end(
    enqueue: Enqueue, alice: User, owner: int, mail_server: MailServer
) -> None:
    mail_server.replies = ["451 not now"] * 20
    enqueue(alice)
    for _ in range(MAX_FAILURES):
        make_due()
        run_batch(owner)
    assert (the_mail().state, the_mail().attempts) == (DeliveryState.DEAD, 12)
    make_due()
    assert run_batch(owner) == {"leased": 0}


def test_a_reply_that_got_lost_repeats_the_mail_with_the_same_id(
    enqueue: Enqueue, alice: User, owner: int, mail_server: MailServer
) -> None:
    mail_server.hangs_up_after_accepting = 1
    enqueue(alice)
    assert run_batch(owner)["failed"] == 1
    make_due()
    assert run_batch(owner)["sent"] == 1

    first, second = mail_server.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].endswith("@portal.example>")
    assert Delivery.objects.filter(channel=Channel.INBOX, state=DeliveryState.CONFIRMED).count() == 1


def test_a_mail_that_cannot_be_written_stops_nobody_else(
    enqueue: Enqueue, alice: User, anna: User, owner: int, mail_server: MailServer
) -> None:
    enqueue(alice, context={"opened_at": "not a time"})
    enqueue(anna, dedupe="b")
    assert run_batch(owner) == {"leased": 4, "confirmed": 2, "failed": 1, "sent": 1}
    assert mail_server.recipients == ["anna@acme.example"]


def test_what_a_batch_has_no_time_for_is_handed_back(
    enqueue: Enqueue,
    alice: User,
    anna: User,
    owner: int,
    mail_server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "BATCH_SECONDS", 0)
    enqueue(alice, anna)
    assert run_batch(owner) == {"leased": 4, "confirmed": 2, "released": 2}
    monkeypatch.undo()
    assert set(Delivery.objects.waiting().values_list("attempts", flat=True)) == {0}


@pytest.mark.parametrize(
    ("urgency", "failures", "seconds"),
    [(0, 1, 1), (1, 2, 2), (0, 3, 5), (0, 4, 10), (0, 5, 30), (0, 11, 600), (5, 1, 10), (8, 11, 1800)],
)
def test_the_wait_grows_with_each_failure(urgency: int, failures: int, seconds: int) -> None:
    waits = [backoff(urgency=urgency, failures=failures).total_seconds() / seconds for _ in range(50)]
    assert all(0.8 <= wait <= 1.2 for wait in waits)
    assert len(set(waits)) > 1


# Leases


def test_a_lease_is_settled_by_its_holder_only(enqueue: Enqueue, alice: User, owner: int) -> None:
    enqueue(alice)
    mine = next(d for d in lease(limit=2, owner=owner) if d.channel == Channel.MAIL)
    Delivery.objects.filter(pk=mine.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    theirs = lease(limit=2, owner=owner)[0]

    assert settle(mine, ACCEPTED) == "lost"
    assert the_mail().state == DeliveryState.LEASED
    assert the_mail().lease_token == theirs.lease_token
    late = Attempt.objects.get(outcome=Attempt.Outcome.ACCEPTED)
    assert not late.is_settled
    assert settle(theirs, ACCEPTED) == DeliveryState.SENT


def test_a_lease_is_void_as_soon_as_its_owner_has_died(enqueue: Enqueue, alice: User, owner: int) -> None:
    enqueue(alice)
    with LeaseOwner() as doomed:
        assert len(lease(limit=2, owner=doomed.id)) == 2
        assert lease(limit=2, owner=owner) == []
    assert len(lease(limit=2, owner=owner)) == 2
    assert set(Delivery.objects.values_list("losses", flat=True)) == {1}
    assert Attempt.objects.filter(outcome=Attempt.Outcome.LOST, owner=doomed.id).count() == 2


def test_a_delivery_that_kills_its_runners_is_given_up(
    enqueue: Enqueue, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead: list[str] = []
    monkeypatch.setattr(DELIVERY_DEAD, "_functions", [lambda *, delivery, now: dead.append(delivery.channel)])
    enqueue(alice)
    for _ in range(MAX_LOSSES):
        with LeaseOwner() as doomed:
            assert len(lease(limit=2, owner=doomed.id)) == 2
    reclaim()
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.DEAD}
    assert sorted(dead) == [Channel.INBOX, Channel.MAIL]


def test_the_death_of_an_alert_is_told_and_a_follow_up_that_fails_is_an_incident(
    enqueue: Enqueue, alice: User, owner: int, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*, delivery: Delivery, now: Any) -> None:
        raise RuntimeError("nobody above")

    monkeypatch.setattr(DELIVERY_DEAD, "_functions", [fails])
    mail_server.replies = ["554 no"]
    enqueue(alice, kind="test_alert")
    assert run_batch(owner)["dead"] == 1
    assert the_mail().state == DeliveryState.DEAD
    incident = Incident.objects.get()
    assert incident.kind == "dead_delivery_not_followed_up"
    assert "nobody above" in incident.detail["error"]


def in_threads(number: int, work: Callable[[], list[int]]) -> list[list[int]]:
    together = threading.Barrier(number)

    def run() -> list[int]:
        together.wait()
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(number) as pool:
        return [f.result() for f in [pool.submit(run) for _ in range(number)]]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_runners_never_lease_the_same_row(enqueue: Enqueue, alice: User) -> None:
    for n in range(40):
        enqueue(alice, dedupe=f"n{n}")
    owners = [LeaseOwner(), LeaseOwner()]
    free = [owner.id for owner in owners]

    def work() -> list[int]:
        mine: list[int] = []
        owner = free.pop()
        while batch := lease(limit=7, owner=owner):
            mine += [d.pk for d in batch]
        return mine

    first, second = in_threads(2, work)
    for owner in owners:
        owner.close()
    assert not set(first) & set(second)
    assert len(first) + len(second) == len({*first, *second}) == 80


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_many_runners_at_once_fill_each_inbox_once_and_send_each_mail_once(
    enqueue: Enqueue, alice: User, anna: User, mail_server: MailServer
) -> None:
    for n in range(15):
        enqueue(alice, anna, dedupe=f"n{n}")

    def work() -> list[int]:
        with LeaseOwner() as owner:
            return [run_until_idle(owner.id, seconds=20, limit=4).get("leased", 0)]

    leased = in_threads(4, work)

    assert sum(n for part in leased for n in part) == 60
    ids = [mail["Message-ID"] for mail in mail_server.mails]
    assert len(ids) == len(set(ids)) == 30
    assert set(Delivery.objects.values_list("state", "attempts")) == {
        (DeliveryState.CONFIRMED, 1),
        (DeliveryState.SENT, 1),
    }


def test_a_pass_with_nothing_due_reads_two_small_indexes(
    db: None, owner: int, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(4):  # reclaim in a transaction of its own, lease
        run_batch(owner)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        assert cursor.fetchone()[0] >= 1
