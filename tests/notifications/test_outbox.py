import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from notifications import kinds, outbox
from notifications.kinds import Channel, Kind, Queue
from notifications.models import Delivery, DeliveryState, Message
from notifications.owner import LeaseOwner
from tests.factories import NOW
from tests.notifications.conftest import Enqueue


def test_each_recipient_gets_one_message_and_a_delivery_by_each_channel(
    enqueue: Enqueue, alice: User, anna: User
) -> None:
    messages = enqueue(alice, anna)

    assert [m.recipient_id for m in messages] == [alice.acting.pk, anna.acting.pk]  # type: ignore[union-attr]
    rows = Delivery.objects.values_list("recipient__user__name", "channel", "state", "next_at")
    assert sorted(rows) == [
        (name, channel, DeliveryState.PENDING, NOW)
        for name in ("Alice Brandt", "Anna Okafor")
        for channel in (Channel.INBOX, Channel.MAIL)
    ]


def test_enqueueing_again_changes_nothing_and_gives_the_same_messages(enqueue: Enqueue, alice: User) -> None:
    first = enqueue(alice, kind="test_alert")
    again = enqueue(alice, kind="test_alert", context={"title": "another text"}, now=NOW + timedelta(hours=1))

    assert again == first
    assert again[0].context["title"] == "Something happened"
    assert Delivery.objects.count() == 2


def test_a_recipient_named_twice_is_told_once(enqueue: Enqueue, alice: User) -> None:
    assert len(enqueue(alice, alice)) == 1


def test_nobody_to_tell_writes_nothing(enqueue: Enqueue) -> None:
    assert enqueue() == []
    assert not Message.objects.exists()


def test_a_change_that_fails_tells_nobody(enqueue: Enqueue, alice: User) -> None:
    with transaction.atomic():
        enqueue(alice)
        transaction.set_rollback(True)
    assert not Message.objects.exists()


def test_the_snapshot_keeps_times_and_strange_text(enqueue: Enqueue, alice: User) -> None:
    context = {"opened_at": NOW, "text": "한글 % \\ 'quoted' \u202e <b>"}
    (message,) = enqueue(alice, context=context)
    assert message.context["text"] == context["text"]
    assert json.loads(json.dumps(message.context))["opened_at"].startswith("2026-11-22T12:00:00")


def test_alerts_carry_the_urgency_of_their_priority(enqueue: Enqueue, alice: User) -> None:
    enqueue(alice, kind="test_alert", urgency=1)
    assert set(Delivery.objects.values_list("urgency", flat=True)) == {1}


def test_the_mails_of_a_notice_come_after_its_inbox_rows(enqueue: Enqueue, alice: User) -> None:
    enqueue(alice, kind="test_patch")
    assert dict(Delivery.objects.values_list("channel", "urgency")) == {Channel.INBOX: 8, Channel.MAIL: 9}


def test_a_thousand_recipients_cost_as_many_queries_as_one(enqueue: Enqueue, alice: User, anna: User) -> None:
    with CaptureQueriesContext(
        connection,
    ) as one:
        enqueue(alice, dedupe="one")
    with CaptureQueriesContext(connection) as two:
        enqueue(alice, anna, dedupe="two")
    assert len(one) == len(two) == 6  # a savepoint and four statements


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_engine_hears_of_it_when_the_change_commits(enqueue: Enqueue, alice: User) -> None:
    with LeaseOwner(listens=True) as ear:
        with transaction.atomic():
            enqueue(alice, kind="test_alert")
            assert ear.wait(0.05) == set()
        assert ear.wait(2) == {Queue.ALERTS}


@pytest.mark.parametrize(
    "path", ["", "cases/", "//evil.example/", "/\\evil.example", "https://evil.example/"]
)
def test_a_message_that_leads_elsewhere_is_refused_by_the_database(
    enqueue: Enqueue, alice: User, path: str
) -> None:
    with pytest.raises(IntegrityError, match="notifications_message_path_is_local"), transaction.atomic():
        enqueue(alice, path=path)


def test_a_message_without_a_subject_is_refused_by_the_database(enqueue: Enqueue, alice: User) -> None:
    with pytest.raises(IntegrityError, match="notifications_message_subject_is_given"):
        enqueue(alice, subject="")


def test_a_kind_that_nobody_registered_is_refused(enqueue: Enqueue, alice: User) -> None:
    with pytest.raises(kinds.UnknownKindError):
        enqueue(alice, kind="unheard_of")


def test_a_kind_cannot_be_registered_twice_with_different_rules() -> None:
    known = kinds.get("test_alert")
    kinds.register(known)
    with pytest.raises(ValueError, match="registered twice"):
        kinds.register(Kind(name="test_alert", label="Another"))
    with pytest.raises(ValueError, match="unknown queue"):
        kinds.register(Kind(name="test_other", label="Other", queue="nowhere"))
    assert "test_other" not in kinds.registered()


def test_cancelling_a_subject_suppresses_what_is_on_its_way_and_nothing_else(
    enqueue: Enqueue, alice: User, anna: User
) -> None:
    enqueue(alice, anna, dedupe="a")
    enqueue(alice, dedupe="b", subject="case:2026-1122-0008")
    arrived = Delivery.objects.filter(recipient=anna.acting, channel=Channel.INBOX)
    arrived.update(state=DeliveryState.CONFIRMED, sent_at=NOW)

    count = outbox.cancel_pending(subject="case:2026-1122-0007", reason="closed", now=NOW)

    assert count == 3
    suppressed = Delivery.objects.filter(state=DeliveryState.SUPPRESSED)
    assert {(d.suppressed_reason, d.suppressed_at) for d in suppressed} == {("closed", NOW)}
    assert Delivery.objects.waiting().count() == 2
    assert arrived.get().state == DeliveryState.CONFIRMED


def test_cancelling_may_be_limited_to_kinds(enqueue: Enqueue, alice: User) -> None:
    enqueue(alice, dedupe="a")
    enqueue(alice, dedupe="b", kind="test_alert")
    count = outbox.cancel_pending(
        subject="case:2026-1122-0007", kind_names=["test_alert"], reason="acknowledged", now=NOW
    )
    assert count == 2


def test_cancelling_everything_by_accident_is_an_error(db: None) -> None:
    with pytest.raises(TypeError):
        outbox.cancel_pending(reason="oops", now=NOW)


def test_the_age_of_the_oldest_due_row_is_known_by_queue(enqueue: Enqueue, alice: User) -> None:
    assert outbox.due_ages() == {}
    enqueue(alice, kind="test_alert")
    assert set(outbox.due_ages()) == {Queue.ALERTS}
