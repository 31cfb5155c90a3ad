"""Kinds of messages: how urgent one is, by which channels it goes, and who may be told.

Upper apps register theirs in `AppConfig.ready()`. The texts of a kind are templates:
`notifications/mail/<name>.subject.txt`, `.txt`, `.html`, and `notifications/inbox/<name>.txt`; a kind
without its own falls back to the plain ones called `message`.

What those templates show comes from the `context` of `outbox.enqueue`. Given by name, and left out where it is
missing: `title` (one line that says it all), `text` (what somebody wrote, plain), `author`, `organisation`,
`number`, `synopsis`, `priority`, `state`, `software`, `release`, `reason`, `opened_at`, `due_at`. Needed by
    case_alert      number, synopsis, priority, organisation, level (1..4)
    case_opened     number, synopsis, organisation
    case_reply      number, synopsis, author
    case_update     number, synopsis, title (what changed)
    release_notice  software, release, title (what it brings)
Values are strings as the recipient may read them (labels, names), not codes; a value that is translated when
it is shown does not survive the snapshot.
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
