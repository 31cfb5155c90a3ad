"""The demo's mail server: takes every message, delivers none, keeps the newest in `var/mail/`.

    MAIL_CATCHER_PORT=8025 python -m portal.mailcatcher

Listens on loopback only and knows no Django; `/engine/mail/` shows what it caught, in debug.
"""

import asyncio
import os
import re
import secrets
import signal
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from portal import embedded

KEPT = 1000
LARGEST_BYTES = 32 * 1024 * 1024
NAME = re.compile(r"[0-9]{20}-[0-9a-f]{8}\.eml")
# The envelope stands before the message as two header lines of our own.
SENDER, RECIPIENTS = "X-Envelope-From", "X-Envelope-To"


@dataclass(frozen=True)
class CaughtMail:
    """One message as it came; every text in it is a stranger's, HTML included. `received_at` is in UTC."""

    name: str
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    message_id: str
    text: str
    html: str


def mail_dir() -> Path:
    """Where caught messages lie, one file each, named by the time they came."""
    path = embedded.var_dir() / "mail"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def save(content: bytes, *, sender: str, recipients: list[str]) -> str:
    """Keep one message and drop the oldest above 1,000; the new one's name. Readers never see half a file."""
    folder = mail_dir()
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}.eml"
    addresses = ", ".join(_on_one_line(address) for address in recipients)
    head = f"{SENDER}: {_on_one_line(sender)}\r\n{RECIPIENTS}: {addresses}\r\n"
    unfinished = folder / f"{name}.part"
    unfinished.write_bytes(head.encode() + content)
    unfinished.rename(folder / name)
    for old in _names()[KEPT:]:
        (folder / old).unlink(missing_ok=True)
    return name


def latest(limit: int) -> list[CaughtMail]:
    """The newest messages, newest first."""
    found = (read(name) for name in _names()[:limit])
    return [mail for mail in found if mail is not None]


def read(name: str) -> CaughtMail | None:
    """One message by its name; None for a name that we never gave, or whose message is gone."""
    if not NAME.fullmatch(name):
        return None
    try:
        content = (mail_dir() / name).read_bytes()
    except FileNotFoundError:
        return None
    message = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(content)
    return CaughtMail(
        name=name,
        received_at=datetime.fromtimestamp(int(name[:20]) / 1e9, tz=UTC),
        sender=_header(message, SENDER),
        recipients=tuple(filter(None, _header(message, RECIPIENTS).split(", "))),
        subject=_header(message, "Subject"),
        message_id=_header(message, "Message-ID"),
        text=_body(message, "plain"),
        html=_body(message, "html"),
    )


def _names() -> list[str]:
    names = (path.name for path in mail_dir().iterdir())
    return sorted(filter(NAME.fullmatch, names), reverse=True)


def _on_one_line(address: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", " ", address).encode(errors="replace").decode()


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except (ValueError, IndexError, AttributeError):  # the parser stumbles over some broken headers
        return ""


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # a character set that nobody knows
        payload = part.get_payload(decode=True)
        return payload.decode(errors="replace") if isinstance(payload, bytes) else ""


class Catcher:
    """What the SMTP server asks: it takes everything."""

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the message before the sender hears that it is ours."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        await asyncio.to_thread(save, raw, sender=envelope.mail_from or "", recipients=envelope.rcpt_tos)
        return "250 OK"


def _protocol() -> SMTP:
    return SMTP(
        Catcher(), data_size_limit=LARGEST_BYTES, enable_SMTPUTF8=True, hostname="mailcatcher", timeout=60
    )


async def serve(port: int) -> None:
    """Take mail on loopback until SIGINT or SIGTERM."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(_protocol, "127.0.0.1", port)
    async with server:
        await stopped.wait()


def main() -> int:
    """The command; a missing or taken port is one line on stderr and exit code 2."""
    try:
        asyncio.run(serve(int(os.environ["MAIL_CATCHER_PORT"])))
    except (KeyError, ValueError, OverflowError):
        print("MAIL_CATCHER_PORT must be the number of a free port.", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"The mail catcher cannot listen: {error.strerror}.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
