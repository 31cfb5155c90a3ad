"""Kinds of messages: how urgent one is, by which channels it goes, and who may be told.

Upper apps register theirs in `AppConfig.ready()`. The texts of a kind are templates:
`notifications/inbox/<name>.txt` is the line that says it all, in the inbox and as the mail's subject, and
`notifications/mail/<name>.txt` and `.html` are the mail; a kind without its own gets the ones called `message`.

What they show comes from the `context` of `outbox.enqueue`, and is left out where it is missing: `title`, `text`
(what somebody wrote, plain), `author`, `organisation`, `number`, `reference`, `synopsis`, `priority`, `software`,
`release`, `made_for`, `defect`, `reason`, `opened_at`, `due_at`, `published_at`. Codes, not words, where words
would be translated: the template has the reader's language.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# A membership's id and the subject it would be told about.
Pair = tuple[int, str]


class Queue(TextChoices):
    """In the order in which workers empty them."""

    ALERTS = "alerts", _("Alerts")
    NOTICES = "notices", _("Notices")
    DEFAULT = "default", _("Other")


class Channel(TextChoices):
    INBOX = "inbox", _("Inbox")
    MAIL = "mail", _("Mail")


class UnknownKindError(LookupError):
    """No app has registered a kind of this name."""


def everybody(pairs: Sequence[Pair]) -> set[Pair]:
    """For kinds whose recipients may always be told."""
    return set(pairs)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of message.

    `urgency`: 0 for P1 alerts, 1 for P2 alerts, 5 for case notices, 8 for patch notices; smaller goes first.
    `mandatory`: no recipient can switch it off.
    `may_tell`: asked in batch just before sending; gives back the pairs that may still be told."""

    name: str
    label: "StrOrPromise"
    queue: str = Queue.NOTICES
    urgency: int = 5
    channels: tuple[str, ...] = (Channel.INBOX, Channel.MAIL)
    needs_acknowledgement: bool = False
    mandatory: bool = False
    may_tell: Callable[[Sequence[Pair]], set[Pair]] = everybody
    # the text holds something that must not stay here once it is sent, such as the link of a password reset
    is_secret: bool = False


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a kind known. Raises: ValueError if its name is taken or its queue or a channel is unknown."""
    if _kinds.get(kind.name, kind) != kind:
        raise ValueError(f"The kind {kind.name} is registered twice.")
    if kind.queue not in Queue.values or not set(kind.channels) <= set(Channel.values):
        raise ValueError(f"The kind {kind.name} names an unknown queue or channel.")
    _kinds[kind.name] = kind


def get(name: str) -> Kind:
    """The kind of this name. Raises: UnknownKindError."""
    try:
        return _kinds[name]
    except KeyError as error:
        raise UnknownKindError(name) from error


def find(name: str) -> Kind:
    """The kind of this name, or a plain one for a message whose kind is not known any more."""
    return _kinds.get(name) or Kind(name=name, label=_("Message"))


def registered() -> list[str]:
    return sorted(_kinds)
