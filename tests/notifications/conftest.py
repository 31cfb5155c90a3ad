"""Kinds of our own and a real SMTP server that answers as it is told."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from accounts.models import Membership, User
from notifications import kinds, outbox
from notifications.kinds import Kind, Pair, Queue
from notifications.models import Message
from notifications.owner import LeaseOwner
from tests.factories import NOW

Enqueue = Callable[..., list[Message]]


@dataclass
class MailServer:
    """Keeps what it accepted. `replies` are said to the next mails, one each; None is "250 OK"."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    replies: list[str | None] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    hangs_up_after_accepting: int = 0

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 5.1.1 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self.replies.pop(0) if self.replies else None
        if reply is not None:
            return reply
        self.mails.append(message_from_bytes(cast("bytes", envelope.content), policy=policy.default))
        self.recipients += envelope.rcpt_tos
        if self.hangs_up_after_accepting:
            self.hangs_up_after_accepting -= 1
            assert server.transport is not None
            server.transport.close()
        return f"250 2.0.0 kept as {len(self.mails)}"


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = MailServer(port)
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    settings.DELIVERY_EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_TIMEOUT = 5
    yield server
    controller.stop()


@pytest.fixture
def forbidden() -> set[Pair]:
    """Pairs of membership and subject that `may_tell` of the kinds below refuses."""
    return set()


@pytest.fixture(autouse=True)
def known_kinds(monkeypatch: pytest.MonkeyPatch, forbidden: set[Pair]) -> None:
    def may_tell(pairs: Sequence[Pair]) -> set[Pair]:
        return set(pairs) - forbidden

    alert = Kind(
        name="test_alert",
        label="Test alert",
        queue=Queue.ALERTS,
        urgency=0,
        needs_acknowledgement=True,
        mandatory=True,
        may_tell=may_tell,
    )
    notice = Kind(name="test_notice", label="Test notice", may_tell=may_tell)
    patch = Kind(name="test_patch", label="Test patch", urgency=8, may_tell=may_tell)
    for kind in (alert, notice, patch):
        monkeypatch.setitem(kinds._kinds, kind.name, kind)


@pytest.fixture
def enqueue(db: None) -> Enqueue:
    def _enqueue(*people: User | Membership, kind: str = "test_notice", **values: Any) -> list[Message]:
        recipients = [p.acting if isinstance(p, User) else p for p in people]
        given: dict[str, Any] = {
            "subject": "case:2026-1122-0007",
            "path": "/cases/2026-1122-0007/",
            "context": {"title": "Something happened", "number": "2026-1122-0007"},
            "dedupe": "test",
            "now": NOW,
        }
        return outbox.enqueue(kind=kind, recipients=recipients, **{**given, **values})

    return _enqueue


@pytest.fixture
def owner(db: None) -> Iterator[int]:
    with LeaseOwner() as found:
        yield found.id
