from datetime import timedelta

import pytest

from accounts.models import AuditEntry, User
from notifications import actions
from notifications.actions import acknowledge, mark_opened, send_again
from notifications.delivery import run_batch
from notifications.followups import MESSAGE_ACKNOWLEDGED
from notifications.models import Acknowledgement, Delivery, DeliveryState, Message
from tests.factories import NOW
from tests.notifications.conftest import Enqueue, MailServer


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Message, User]]:
    """What follow-ups of MESSAGE_ACKNOWLEDGED were told."""
    calls: list[tuple[Message, User]] = []
    monkeypatch.setattr(
        MESSAGE_ACKNOWLEDGED, "_functions", [lambda *, message, by, now: calls.append((message, by))]
    )
    return calls


@pytest.mark.clause("C22")
def test_the_first_acknowledgement_counts_and_later_ones_are_given_it(
    enqueue: Enqueue, lena: User, omar: User, heard: list[tuple[Message, User]]
) -> None:
    (message,) = enqueue(lena, kind="test_alert")
    first = acknowledge(message=message, by=lena, how="page", note="On it", now=NOW)
    second = acknowledge(message=message, by=omar, how="api", note="Me too", now=NOW + timedelta(seconds=1))
    again = acknowledge(message=message, by=lena, how="page", note="", now=NOW + timedelta(seconds=2))

    assert first == second == again
    assert (second.by, second.note, second.at, second.how) == (lena.acting, "On it", NOW, "page")
    assert heard == [(message, lena)]
    assert Acknowledgement.objects.count() == 1


def test_what_asks_for_no_acknowledgement_gets_none(enqueue: Enqueue, alice: User) -> None:
    (message,) = enqueue(alice)
    with pytest.raises(actions.NothingToAcknowledgeError):
        acknowledge(message=message, by=alice, how="page", note="", now=NOW)


def test_who_acts_in_no_membership_cannot_acknowledge(enqueue: Enqueue, lena: User, root: User) -> None:
    (message,) = enqueue(lena, kind="test_alert")
    with pytest.raises(actions.NotActingError):
        acknowledge(message=message, by=root, how="page", note="", now=NOW)


def test_a_follow_up_that_fails_undoes_the_acknowledgement(
    enqueue: Enqueue, lena: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(MESSAGE_ACKNOWLEDGED, "_functions", [fails])
    (message,) = enqueue(lena, kind="test_alert")
    with pytest.raises(RuntimeError):
        acknowledge(message=message, by=lena, how="page", note="", now=NOW)
    assert not Acknowledgement.objects.exists()


def test_acknowledging_opens_the_message(
    enqueue: Enqueue, lena: User, owner: int, mail_server: MailServer
) -> None:
    (message,) = enqueue(lena, kind="test_alert")
    run_batch(owner)
    acknowledge(message=message, by=lena, how="page", note="", now=NOW)
    assert Delivery.objects.unread_count(lena) == 0


def test_opening_a_page_opens_what_is_told_about_it_for_this_person_only(
    enqueue: Enqueue, alice: User, anna: User, owner: int, mail_server: MailServer
) -> None:
    enqueue(alice, anna, dedupe="a")
    enqueue(alice, dedupe="b", subject="case:2026-1122-0008")
    run_batch(owner)

    assert mark_opened(by=alice, now=NOW, subject="case:2026-1122-0007") == 1
    assert (Delivery.objects.unread_count(alice), Delivery.objects.unread_count(anna)) == (1, 1)
    assert mark_opened(by=alice, now=NOW + timedelta(hours=1)) == 1
    opened = Delivery.objects.filter(message__dedupe_key__startswith="a:", opened_at__isnull=False)
    assert opened.get().opened_at == NOW


def test_a_dead_delivery_can_be_sent_again_and_that_is_on_record(
    enqueue: Enqueue, alice: User, lena: User, owner: int, mail_server: MailServer
) -> None:
    mail_server.replies = ["554 no"]
    enqueue(alice)
    run_batch(owner)
    dead = Delivery.objects.get(state=DeliveryState.DEAD)

    send_again(delivery=dead, by=lena, now=NOW)

    assert AuditEntry.objects.get().action == "delivery.sent_again"
    assert run_batch(owner)["sent"] == 1
    with pytest.raises(actions.NotDeadError):
        send_again(delivery=dead, by=lena, now=NOW)
