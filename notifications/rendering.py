"""The texts of a message: a mail in the recipient's language and time zone, and the line in the inbox."""

import hashlib
import re
import zoneinfo
from datetime import date, datetime
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context
from django.template.loader import select_template
from django.utils import timezone, translation
from django.utils.html import escape

from notifications import kinds
from notifications.models import Delivery, Message

# Line breaks would start a header of their own, and some controls turn the text around.
UNSAFE_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
MANY_EMPTY_LINES = re.compile(r"\n{3,}")
LONGEST_SUBJECT = 180


def context_of(message: Message) -> dict[str, Any]:
    """What templates may show: the snapshot, its times and dates as such, and where the link leads."""
    return {
        **{name: _typed(name, value) for name, value in message.context.items()},
        "kind": kinds.find(message.kind),
        "subject": message.subject,
        "path": message.path,
        "link": f"{settings.PUBLIC_URL}{message.path}",
        "needs_acknowledgement": message.needs_acknowledgement,
        "urgency": message.urgency,
        "product_name": settings.PRODUCT_NAME,
        "message": message,
    }


def _typed(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {inner: _typed(inner, v) for inner, v in value.items()}
    if isinstance(value, list):
        return [_typed(name, v) for v in value]
    if isinstance(value, str) and value and name.endswith("_at"):
        return datetime.fromisoformat(value)
    if isinstance(value, str) and value and name.endswith("_on"):
        return date.fromisoformat(value)
    return value


def _render(folder: str, kind: str, ending: str, context: dict[str, Any]) -> str:
    names = [f"notifications/{folder}/{kind}{ending}", f"notifications/{folder}/message{ending}"]
    template: Any = select_template(names)
    is_text = ending.endswith(".txt")
    return str(template.template.render(Context(context, autoescape=not is_text)))


def on_one_line(text: str, longest: int = LONGEST_SUBJECT) -> str:
    """Safe as a header: no line breaks, no controls, no endless text."""
    line = " ".join(UNSAFE_IN_A_LINE.sub(" ", text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def inbox_line(message: Message) -> str:
    """One line of plain text for the inbox, in the reader's language."""
    return on_one_line(_render("inbox", message.kind, ".txt", context_of(message)), 300)


def mail_of(delivery: Delivery) -> EmailMultiAlternatives:
    """The mail of a delivery: the same Message-ID at every attempt, one thread for everything about a subject."""
    message = delivery.message
    if message.recipient is None:
        return _account_mail(delivery)
    user = message.recipient.user
    with (
        translation.override(user.language or settings.LANGUAGE_CODE),
        timezone.override(_zone(user.time_zone)),
    ):
        context = {**context_of(message), "recipient": user, "language": translation.get_language()}
        context["line"] = subject = inbox_line(message)
        text = _render("mail", message.kind, ".txt", context)
        html = _render("mail", message.kind, ".html", context)
    mail = EmailMultiAlternatives(
        subject=on_one_line(subject),
        body=MANY_EMPTY_LINES.sub("\n\n", text).strip() + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[user.email],
        headers=_headers(delivery),
    )
    mail.attach_alternative(html, "text/html")
    return mail


def _account_mail(delivery: Delivery) -> EmailMultiAlternatives:
    """A mail of the account itself: its text was written in the request that asked for it."""
    text = delivery.message.context
    mail = EmailMultiAlternatives(
        subject=on_one_line(text["mail_subject"]),
        body=text["text"],
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[delivery.message.address],
        headers=_headers(delivery),
    )
    if text["html"]:
        mail.attach_alternative(text["html"], "text/html")
    return mail


def _headers(delivery: Delivery) -> dict[str, str]:
    thread = _id("thread", delivery.message.subject)
    return {
        "Message-ID": _id("delivery", delivery.key),
        "References": thread,
        "In-Reply-To": thread,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Importance": "high" if delivery.urgency <= 1 else "normal",
    }


def _id(what: str, name: str) -> str:
    digest = hashlib.sha256(f"{what}:{name}".encode()).hexdigest()[:40]
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{digest}@{escape(domain)}>"


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")
