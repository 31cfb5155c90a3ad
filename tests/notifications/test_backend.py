from typing import Any

import pytest
from django.core.mail import send_mail
from django.test import Client

from accounts.models import User
from notifications.delivery import run_until_idle
from notifications.models import Delivery, DeliveryState, Message
from tests.notifications.conftest import MailServer


@pytest.fixture(autouse=True)
def _outbox_is_the_backend(settings: Any) -> None:
    settings.EMAIL_BACKEND = "notifications.backend.OutboxBackend"


def _send() -> None:
    send_mail("Your access", "Follow https://portal.example/secret-link", None, ["new@acme.example"])


def test_a_mail_of_the_account_is_a_row_until_the_engine_sends_it(
    db: None, owner: int, mail_server: MailServer
) -> None:
    _send()
    assert not mail_server.mails
    run_until_idle(owner, seconds=5)
    assert mail_server.recipients == ["new@acme.example"]
    assert "secret-link" in mail_server.mails[0].get_body().get_content()  # type: ignore[union-attr]


def test_its_text_is_wiped_once_it_is_sent(db: None, owner: int, mail_server: MailServer) -> None:
    _send()
    run_until_idle(owner, seconds=5)
    assert Delivery.objects.get().state == DeliveryState.SENT
    assert Message.objects.get().context == {}


def test_its_text_stays_while_it_has_to_be_tried_again(db: None, owner: int, mail_server: MailServer) -> None:
    mail_server.replies.append("451 try again later")
    _send()
    run_until_idle(owner, seconds=2)
    assert Delivery.objects.get().state == DeliveryState.FAILED
    assert "secret-link" in Message.objects.get().context["text"]


@pytest.mark.attack("which addresses exist")
def test_asking_for_a_reset_waits_for_no_mail_server(alice: User, settings: Any) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody is there
    for address in (alice.email, "nobody@acme.example"):
        assert Client().post("/account/password/reset/", {"email": address}).status_code == 302
    assert Message.objects.filter(address=alice.email).exists()


@pytest.mark.attack("header injection and CSV formulas")
def test_a_newline_in_a_subject_starts_no_header(db: None, owner: int, mail_server: MailServer) -> None:
    send_mail("Hello\nBcc: all@acme.example", "text", None, ["new@acme.example"])
    run_until_idle(owner, seconds=5)
    assert mail_server.recipients == ["new@acme.example"]
    assert mail_server.mails[0]["Bcc"] is None
