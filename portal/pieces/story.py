"""A case's story: timeline entries and the management ladder."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from portal.pieces.chips import initials
from portal.pieces.icons import RUNG_SHAPES, icon
from portal.pieces.times import clock, short_day, timestamp


def event(
    content: str,
    *,
    kind: str = "system",
    at: datetime | None = None,
    who: Any = None,
    role: str = "",
    anchor: str = "",
    vendor: bool = False,
    drawing: str = "",
    now: datetime | None = None,
) -> SafeString:
    """One entry of a timeline (`<ol class="tl">`). Kinds: `message`, `note` (internal), `system`, `alert`.

    `role` stands beside the name ("Acme Telecom, opened the case"); `vendor` marks our own people."""
    mark = format_html(' id="{}"', anchor) if anchor else ""
    moment = timestamp(at, now=now, style="short") if at else ""
    if kind in ("message", "note"):
        said_by = format_html("{} {}", icon("lock", 13), role) if kind == "note" else role
        return _message(content, f"{kind} vendor" if vendor else kind, who, said_by, moment, mark)
    drawing = drawing or ("bell" if kind == "alert" else "")
    return format_html(
        '<li class="ev {}"{}><i aria-hidden="true">{}</i><div><span>{}</span>{}</div></li>',
        kind,
        mark,
        icon(drawing, 12) if drawing else "",
        content,
        moment,
    )


def _message(content: str, look: str, *said: Any) -> SafeString:
    who, role, moment, mark = said
    name = str(getattr(who, "name", "") or who or gettext("Support Center"))
    return format_html(
        '<li class="ev {}"{}><i aria-hidden="true">{}</i><article class="card msg">'
        "<header><b>{}</b><span>{}</span>{}</header>{}</article></li>",
        look,
        mark,
        initials(name),
        name,
        role,
        moment,
        content,
    )


def ladder(rungs: Iterable[Any], now: datetime | None = None, paused: str = "") -> SafeString:
    """The management ladder. `paused` says why a rung without a time stands still.

    Each rung has `level` and `state`, and whatever of these is known:

    `title`, `who`, `due_at`, `fired_at`, `sent_at`, `delivered_at`, `acknowledged_at`, `acknowledged_by`, `reason`.
    States: pending, fired, acknowledged, cancelled, superseded, dead. Moments are aware datetimes."""
    now = now or timezone.now()
    rows = []
    has_next = False
    for rung in rungs:
        state = _rung_state(rung)
        if state == "pending" and not has_next:
            state, has_next = "next", True
        rows.append((_rung(rung, state, now, paused),))
    return format_html('<ol class="ladder">{}</ol>', format_html_join("", "{}", rows))


def _get(rung: Any, name: str) -> Any:
    return rung.get(name) if isinstance(rung, dict) else getattr(rung, name, None)


def _rung_state(rung: Any) -> str:
    return "acknowledged" if _get(rung, "acknowledged_at") else str(_get(rung, "state"))


def _rung(rung: Any, state: str, now: datetime, paused: str) -> SafeString:
    shape = {"cancelled": "off", "superseded": "off", "dead": "fired"}.get(state, state)
    due, fired = _get(rung, "due_at"), _get(rung, "fired_at")
    moment = timestamp(fired or due, now=now, style="short") if fired or due else SafeString("")
    told = _rung_facts(rung, state, now)
    if state in ("next", "pending") and due is None:
        moment = clock(None, paused=True, now=now)
        told = [*told[:-1], _why_paused(paused)] if state == "next" else told
    elif state == "next":
        moment = clock(due, started_at=None, now=now)
    facts = format_html_join("", "<small>{}</small>", ((fact,) for fact in told))
    return format_html(
        '<li class="rung {}">{}<div><b>{} {}</b>{}</div><span class="t">{}</span></li>',
        state,
        RUNG_SHAPES.get(shape, RUNG_SHAPES["pending"]),
        _get(rung, "level"),
        _get(rung, "title") or "",
        facts,
        moment,
    )


def _why_paused(reason: str) -> str:
    if not reason:
        return gettext("while the case waits for an answer")
    return gettext("while the case waits: %(reason)s") % {"reason": reason}


def _rung_facts(rung: Any, state: str, now: datetime) -> list[str]:
    """Who is told, what has become of the message, and what ended it."""
    facts: list[str] = [str(_get(rung, "who"))] if _get(rung, "who") else []
    sent, delivered = _get(rung, "sent_at"), _get(rung, "delivered_at")
    beside = _get(rung, "fired_at")
    if sent and delivered:
        words = gettext("sent %(sent)s, delivered %(delivered)s")
        times = {"sent": _second(sent, now, beside), "delivered": _second(delivered, now, sent)}
        facts.append(words % times)
    elif sent:
        facts.append(gettext("sent %(sent)s") % {"sent": _second(sent, now, beside)})
    if state == "acknowledged":
        facts.append(_acknowledged(rung, now))
    elif state == "fired":
        facts.append(format_html('<span class="status">{}</span>', gettext("not acknowledged yet")))
    elif state == "dead":
        facts.append(format_html('<span class="status">{}</span>', gettext("could not be delivered")))
    elif state == "cancelled":
        facts.append(gettext("cancelled"))
    elif state == "superseded":
        facts.append(gettext("replaced by a newer ladder"))
    elif state == "next" and not _get(rung, "reason"):
        facts.append(gettext("unless service is restored first"))
    return facts + ([str(_get(rung, "reason"))] if _get(rung, "reason") else [])


def _second(value: datetime, now: datetime, beside: datetime | None) -> str:
    """The time, and the day where it is neither today's nor that of the moment shown beside it."""
    local, today = timezone.localtime(value), timezone.localtime(now).date()
    if local.date() in (today, timezone.localtime(beside or now).date()):
        return f"{local:%H:%M:%S}"
    return f"{short_day(local, today)} {local:%H:%M:%S}"


def _acknowledged(rung: Any, now: datetime) -> SafeString:
    at = _second(_get(rung, "acknowledged_at"), now, _get(rung, "fired_at"))
    by = str(getattr(_get(rung, "acknowledged_by"), "name", _get(rung, "acknowledged_by") or ""))
    is_known = not by or by == str(_get(rung, "who") or "")
    words = gettext("acknowledged %(at)s") if is_known else gettext("acknowledged %(at)s by %(who)s")
    return format_html('<span class="status">{}</span>', words % {"at": at, "who": by})
