"""The database refuses nonsense: one row that each constraint does not let in."""

from collections.abc import Callable
from datetime import time, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.db.utils import InternalError

from accounts.models import User
from notifications.models import (
    Acknowledgement,
    Attempt,
    Delivery,
    DeliveryState,
    DutyLevel,
    DutyPerson,
    Message,
)
from tests.factories import NOW
from tests.notifications.conftest import Enqueue

UUID = "7b0a7d42-8e1c-4d5c-9a51-2f0a6a8a4c11"


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("state_is_known", {"state": "somewhere"}),
        ("channel_is_known", {"channel": "pigeon"}),
        ("queue_is_known", {"queue": "fast"}),
        ("has_a_lease_only_while_leased", {"state": "leased"}),
        ("has_a_lease_only_while_leased", {"lease_token": UUID, "lease_owner": 1, "lease_until": NOW}),
        ("has_a_sending_time_only_once_sent", {"state": "sent"}),
        ("has_a_sending_time_only_once_sent", {"sent_at": NOW}),
        ("says_why_it_was_suppressed", {"state": "suppressed"}),
        ("says_why_it_was_suppressed", {"suppressed_reason": "because"}),
    ],
)
def test_a_delivery_that_makes_no_sense_is_refused(
    enqueue: Enqueue, alice: User, name: str, changes: dict[str, Any]
) -> None:
    enqueue(alice)
    delivery = Delivery.objects.filter(channel="mail")
    with pytest.raises(IntegrityError, match=f"notifications_delivery_{name}"), transaction.atomic():
        delivery.update(**changes)


def test_a_message_goes_by_each_channel_once(enqueue: Enqueue, alice: User) -> None:
    enqueue(alice)
    twice = Delivery.objects.get(channel="mail")
    twice.pk, twice.key = None, "another"
    with pytest.raises(IntegrityError, match="notifications_delivery_is_one_per_message_and_channel"):
        twice.save()


def attempt(delivery: Delivery) -> Attempt:
    return Attempt.objects.create(delivery=delivery, at=NOW, owner=1, outcome=Attempt.Outcome.ACCEPTED)


@pytest.mark.parametrize("change", ["update", "delete"])
def test_an_attempt_is_never_changed_nor_deleted(enqueue: Enqueue, alice: User, change: str) -> None:
    enqueue(alice)
    attempt(Delivery.objects.get(channel="mail"))
    rows = Attempt.objects.all()
    write = rows.delete if change == "delete" else partial(rows.update, answer="nothing happened")
    with pytest.raises(InternalError, match="Cannot"), transaction.atomic():
        write()


def test_an_attempt_has_a_known_outcome(enqueue: Enqueue, alice: User) -> None:
    enqueue(alice)
    with pytest.raises(IntegrityError, match="notifications_attempt_outcome_is_known"):
        Attempt.objects.create(
            delivery=Delivery.objects.get(channel="mail"), at=NOW, owner=1, outcome="perhaps"
        )


def test_an_acknowledgement_says_by_which_way(enqueue: Enqueue, alice: User) -> None:
    (message,) = enqueue(alice)
    with pytest.raises(IntegrityError, match="notifications_acknowledgement_way_is_known"):
        Acknowledgement.objects.create(message=message, by=alice.acting, at=NOW, how="telepathy")


def test_a_level_is_one_of_four(db: None) -> None:
    with pytest.raises(IntegrityError, match="notifications_dutylevel_is_between_one_and_four"):
        DutyLevel.objects.create(level=5, name="Above all")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("hours_have_both_ends", {"starts": time(9)}),
        ("hours_have_both_ends", {"starts": time(9), "ends": time(9)}),
        ("weekdays_are_known_and_not_empty", {"weekdays": []}),
        ("weekdays_are_known_and_not_empty", {"weekdays": [7]}),
        ("absence_ends_after_it_starts", {"absent_from": NOW, "absent_until": NOW}),
        ("absence_ends_after_it_starts", {"absent_until": NOW}),
    ],
)
def test_a_duty_that_makes_no_sense_is_refused(lena: User, name: str, values: dict[str, Any]) -> None:
    level = DutyLevel.objects.create(level=1, name="Duty manager")
    with pytest.raises(IntegrityError, match=f"notifications_dutyperson_{name}"):
        DutyPerson.objects.create(level=level, membership=lena.acting, **values)


def test_nobody_is_their_own_delegate(lena: User) -> None:
    level = DutyLevel.objects.create(level=1, name="Duty manager")
    with pytest.raises(IntegrityError, match="notifications_dutyperson_delegate_is_somebody_else"):
        DutyPerson.objects.create(level=level, membership=lena.acting, delegate=lena.acting)


def test_somebody_is_on_a_level_once_for_the_same_hours(lena: User) -> None:
    level = DutyLevel.objects.create(level=1, name="Duty manager")
    DutyPerson.objects.create(level=level, membership=lena.acting)
    with pytest.raises(IntegrityError, match="notifications_dutyperson_is_once_per_level_and_start"):
        DutyPerson.objects.create(level=level, membership=lena.acting)


# Who sees what


@pytest.mark.parametrize(
    ("model", "sees_engine"),
    [(Message, False), (Delivery, True), (Attempt, True), (Acknowledgement, True)],
)
def test_a_message_is_seen_by_its_recipient_and_its_way_by_who_watches_the_engine(
    enqueue: Enqueue, alice: User, anna: User, sam: User, model: type[models.Model], sees_engine: bool
) -> None:
    (message,) = enqueue(alice)
    attempt(Delivery.objects.get(channel="mail"))
    Acknowledgement.objects.create(message=message, by=alice.acting, at=NOW, how="page")
    visible_to: Callable[[User], models.QuerySet[Any]] = model._default_manager.visible_to  # type: ignore[attr-defined]

    assert visible_to(alice).exists() is (model is not Attempt)
    assert not visible_to(anna).exists()
    assert visible_to(sam).exists() is sees_engine
    anna.acting = None
    assert not visible_to(anna).exists()


def test_the_duty_roster_is_seen_by_staff_only(lena: User, alice: User) -> None:
    level = DutyLevel.objects.create(level=1, name="Duty manager")
    DutyPerson.objects.create(level=level, membership=lena.acting)
    assert DutyPerson.objects.visible_to(lena).count() == DutyLevel.objects.visible_to(lena).count() == 1
    assert not DutyPerson.objects.visible_to(alice).exists()
    assert not DutyLevel.objects.visible_to(alice).exists()


# Reads of pages


def confirm_inbox(user: User) -> None:
    Delivery.objects.filter(recipient=user.acting, channel="inbox").update(
        state=DeliveryState.CONFIRMED, sent_at=NOW
    )


def test_the_header_counts_what_lies_unopened_in_the_inbox(enqueue: Enqueue, alice: User, anna: User) -> None:
    enqueue(alice, anna, dedupe="a")
    enqueue(alice, dedupe="b")
    assert Delivery.objects.unread_count(alice) == 0
    confirm_inbox(alice)
    assert Delivery.objects.unread_count(alice) == 2
    Delivery.objects.filter(message__dedupe_key__startswith="a:").update(opened_at=NOW)
    assert Delivery.objects.unread_count(alice) == 1
    assert Delivery.objects.unread_count(anna) == 0


def test_the_count_stops_at_a_hundred(enqueue: Enqueue, alice: User) -> None:
    for n in range(103):
        enqueue(alice, dedupe=f"n{n}")
    confirm_inbox(alice)
    assert Delivery.objects.unread_count(alice) == 100


def test_the_count_is_read_from_its_index(enqueue: Enqueue, alice: User) -> None:
    enqueue(alice)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = Delivery.objects.inbox_of(alice).unread().values("pk")[:100].explain()
    assert "delivery_unread" in plan


def test_the_receipts_of_a_subject_cost_two_queries(
    enqueue: Enqueue, alice: User, anna: User, django_assert_num_queries: Any
) -> None:
    enqueue(alice, anna, kind="test_alert")
    first = Message.objects.order_by("pk")[0]
    Acknowledgement.objects.create(message=first, by=alice.acting, at=NOW + timedelta(minutes=2), how="page")
    with django_assert_num_queries(2):
        found = [
            (m.recipient.user.name, m.inbox and m.inbox.state, m.mail and m.mail.state, bool(m.acknowledged))
            for m in Message.objects.for_subject("case:2026-1122-0007")
        ]
    assert found == [
        ("Alice Brandt", DeliveryState.PENDING, DeliveryState.PENDING, True),
        ("Anna Okafor", DeliveryState.PENDING, DeliveryState.PENDING, False),
    ]
