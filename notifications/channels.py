"""The ways to a person that leave the database: today mail by SMTP. The inbox is a row, see `delivery`."""

import logging
import smtplib
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.core.mail import BadHeaderError, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend

from notifications.models import Delivery
from notifications.rendering import mail_of

log = logging.getLogger(__name__)
FIRST_PERMANENT_CODE = 500
HANGS_UP_CODE = 421


@dataclass(frozen=True)
class Answer:
    """What a channel said to one delivery. Not accepted and not permanent means: try again."""

    is_accepted: bool
    text: str
    is_permanent: bool = False


class _Keeping:
    """Keeps the reply to the last mail, which smtplib drops when it is good."""

    last_reply: tuple[int, bytes] = (0, b"")

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.last_reply = super().data(msg)  # type: ignore[misc]
        return self.last_reply


class _KeepingSmtp(_Keeping, smtplib.SMTP):
    pass


class _KeepingSmtps(_Keeping, smtplib.SMTP_SSL):
    pass


class KeepingBackend(SmtpBackend):
    """Django's SMTP, of which one can ask what the server answered."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _KeepingSmtps if self.use_ssl else _KeepingSmtp

    @property
    def last_reply(self) -> tuple[int, bytes]:
        return getattr(self.connection, "last_reply", (0, b""))

    def abandon(self) -> None:
        """Hang up without a word: a server that did not answer in time would not answer QUIT either."""
        for name in ("connection", "_partial_connection"):
            connection: smtplib.SMTP | None = getattr(self, name)
            if connection is not None:
                connection.close()
            setattr(self, name, None)


class MailChannel:
    """One SMTP connection for a batch, opened with the first mail and again after a failure."""

    def __init__(self) -> None:
        # EMAIL_BACKEND is our own outbox; this is the way out of it
        name = settings.DELIVERY_EMAIL_BACKEND
        is_smtp = f"{SmtpBackend.__module__}.{SmtpBackend.__qualname__}" == name
        self._backend: BaseEmailBackend = KeepingBackend() if is_smtp else get_connection(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._backend.close()
        except (OSError, smtplib.SMTPException):
            self._abandon()

    def send(self, delivery: Delivery) -> Answer:
        """Send one; whatever goes wrong is an answer, so that no delivery stops another."""
        try:
            mail = mail_of(delivery)
        except Exception as error:
            log.exception("The mail of %s cannot be written", delivery.key)
            return Answer(is_accepted=False, text=f"{type(error).__name__}: {error}")
        return self._send(mail)

    def _send(self, mail: EmailMultiAlternatives) -> Answer:
        try:
            self._backend.open()
            self._backend.send_messages([mail])
        except smtplib.SMTPRecipientsRefused as error:
            return self._refused(*next(iter(error.recipients.values())))
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            return self._refused(error.smtp_code, error.smtp_error)
        except (BadHeaderError, UnicodeError, smtplib.SMTPNotSupportedError) as error:
            return Answer(is_accepted=False, is_permanent=True, text=f"{type(error).__name__}: {error}")
        except (OSError, smtplib.SMTPException) as error:
            # our side or theirs is not there: nobody's address is to blame, whatever the code
            self._abandon()
            return Answer(is_accepted=False, text=f"{type(error).__name__}: {error}")
        reply = self._backend.last_reply if isinstance(self._backend, KeepingBackend) else (250, b"")
        return Answer(is_accepted=True, text=_text(*reply))

    def _refused(self, code: int, text: bytes | str) -> Answer:
        if code == HANGS_UP_CODE:
            self._abandon()
        return Answer(is_accepted=False, is_permanent=code >= FIRST_PERMANENT_CODE, text=_text(code, text))

    def _abandon(self) -> None:
        if isinstance(self._backend, KeepingBackend):
            self._backend.abandon()


def _text(code: int, text: bytes | str) -> str:
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {said}".replace("\n", " ").strip()
