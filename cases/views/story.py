"""The timeline of a case in words, and what its ladder comes down to. No query: everything was fetched before."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.prose import prose
from accounts.roles import Permission
from cases.actions import EscalationReason
from cases.models import Attachment, Case, CaseEvent
from cases.receipts import Step
from cases.workflow import CaseState, Channel, EventKind, RungState

MESSAGE, NOTE, SYSTEM, ALERT = "message", "note", "system", "alert"
K = EventKind
Text = str | Promise

# what stands beside the writer's name; the organisation is filled in
_ROLES: Final[Mapping[str, Text]] = {
    K.REPLY: gettext_lazy("%(organisation)s, reply"),
    K.NOTE: gettext_lazy("internal note, not visible to the customer"),
    K.RESTORED: gettext_lazy("%(organisation)s, service restored"),
    K.RESTORATION_DENIED: gettext_lazy("%(organisation)s, service is not restored"),
    K.RESOLUTION_PROPOSED: gettext_lazy("%(organisation)s, proposed a resolution"),
    K.RESOLUTION_REJECTED: gettext_lazy("%(organisation)s, rejected the resolution"),
    K.ESCALATION_REQUESTED: gettext_lazy("%(organisation)s, asked for escalation"),
    K.CLOSED: gettext_lazy("%(organisation)s, closed the case"),
    K.REOPENED: gettext_lazy("%(organisation)s, reopened the case"),
}
_ICONS: Final[Mapping[str, str]] = {
    K.STATE: "arrow-right",
    K.ASSIGNED: "user",
    K.PRIORITY_RAISED: "trending-up",
    K.PRIORITY_LOWERED: "trending-down",
    K.ALERT: "bell",
    K.ACKNOWLEDGED: "check",
    K.RESTORED: "circle-check",
    K.RESOLUTION_ACCEPTED: "check-check",
    K.CLOSURE_REQUESTED: "hand",
    K.OWNER_LEFT: "user-minus",
    K.CLOSED: "lock",
}


@dataclass(kw_only=True)
class Entry:
    """One entry as the page shows it."""

    pk: int
    kind: str
    at: datetime
    text: SafeString | str
    who: str = ""
    role: str = ""
    is_vendor: bool = False
    icon: str = ""
    files: Sequence[Attachment] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        return f"e{self.pk}"


def entries(case: Case, events: Iterable[CaseEvent], user: User) -> list[Entry]:
    """The timeline, each entry ready to be printed."""
    sees_staff = user.can(Permission.CASE_VIEW_ALL)
    return [_entry(case, event, sees_staff) for event in events]


def _entry(case: Case, event: CaseEvent, sees_staff: bool) -> Entry:
    body = _body(case, event)
    name = event.by.user.name if event.by else _("The portal")
    entry = Entry(
        pk=event.pk,
        kind=SYSTEM,
        at=event.at,
        text="",
        who=name,
        is_vendor=bool(event.by and event.by.organisation.is_vendor),
        icon=_ICONS.get(event.kind, ""),
        files=list(event.attachments.all()),
    )
    if body:
        entry.kind = NOTE if event.is_internal else MESSAGE
        entry.text, entry.role = body, _role(case, event)
        return entry
    entry.kind = ALERT if event.kind == K.ALERT else SYSTEM
    entry.text = _sentence(event, name, sees_staff)
    return entry


def _body(case: Case, event: CaseEvent) -> SafeString | str:
    if event.kind == K.OPENED:
        parts = [prose(case.description)]
        for title, text in ((_("What was being done"), case.activity), (_("Access"), case.access)):
            if text:
                parts.append(format_html("<h3>{}</h3>{}", title, prose(text)))
        joined = SafeString("".join(parts))  # nosec B703  # each part is safe already
        return format_html('<div class="stack tight">{}</div>', joined)
    if event.kind in (K.RESTORATION_DENIED, K.RESOLUTION_REJECTED, K.REOPENED):
        return prose(str(event.detail.get("reason", "")))
    if event.kind == K.ESCALATION_REQUESTED:
        wish = event.detail.get("wish", "")
        label = EscalationReason(wish).label if wish in EscalationReason.values else wish
        return format_html("<p><b>{}</b></p>{}", label, prose(event.body) if event.body else "")
    if event.kind == K.RESOLUTION_PROPOSED and event.detail.get("cause"):
        return format_html('{}<p class="hint">{}</p>', prose(event.body), _cause(event.detail["cause"]))
    return prose(event.body) if event.body else ""


def _cause(cause: str) -> str:
    return _("Cause: %(cause)s") % {"cause": cause}


def _role(case: Case, event: CaseEvent) -> str:
    organisation = event.by.organisation.name if event.by else ""
    if event.kind == K.OPENED:
        by_phone = case.channel == Channel.PHONE
        words = (
            _("%(organisation)s, opened the case from a telephone call")
            if by_phone
            else _("%(organisation)s, opened the case")
        )
        return words % {"organisation": organisation}
    words = str(_ROLES.get(event.kind, "%(organisation)s"))
    return words % {"organisation": organisation}


def _sentence(event: CaseEvent, who: str, sees_staff: bool) -> SafeString | str:
    make = _SENTENCES.get(event.kind)
    if make is None:
        return format_html(_("{kind} by <b>{who}</b>"), kind=event.get_kind_display(), who=who)
    return make(event.detail, who, sees_staff)


def _state_label(value: Any) -> str:
    return str(CaseState(value).label) if value in CaseState.values else str(value)


def _state(detail: Mapping[str, Any], who: str, sees_staff: bool) -> SafeString:
    state, reason = _state_label(detail.get("to")), detail.get("reason", "")
    if detail.get("to") == CaseState.CUSTOMER_PENDING:
        words = (
            _("<b>{who}</b> waits for the customer: {reason}")
            if sees_staff
            else _("<b>{who}</b> waits for you: {reason}")
        )
        return format_html(words, who=who, reason=reason)
    if reason:
        return format_html(
            _("<b>{who}</b> set the state to <b>{state}</b>: {reason}"), who=who, state=state, reason=reason
        )
    return format_html(_("<b>{who}</b> set the state to <b>{state}</b>"), who=who, state=state)


def _assigned(detail: Mapping[str, Any], who: str, sees_staff: bool) -> SafeString:
    owner = detail.get("owner", "")
    if not owner:
        return format_html(_("<b>{who}</b> put the case back into the queue"), who=who)
    if owner == who:
        return format_html(_("<b>{who}</b> took the case"), who=who)
    return format_html(_("<b>{who}</b> assigned the case to <b>{owner}</b>"), who=who, owner=owner)


def _raised(detail: Mapping[str, Any], who: str, sees_staff: bool) -> SafeString:
    return format_html(
        _("<b>{who}</b> raised the priority from {before} to <b>{after}</b>: {reason}"),
        **_priorities(detail, who),
    )


def _lowered(detail: Mapping[str, Any], who: str, sees_staff: bool) -> SafeString:
    return format_html(
        _("<b>{who}</b> lowered the priority from {before} to <b>{after}</b>: {reason}"),
        **_priorities(detail, who),
    )


def _priorities(detail: Mapping[str, Any], who: str) -> dict[str, Any]:
    before, after = detail.get("from_priority", ""), detail.get("to_priority", "")
    return {"who": who, "before": before, "after": after, "reason": detail.get("reason", "")}


def _alert(detail: Mapping[str, Any], who: str, sees_staff: bool) -> SafeString:
    level, priority = f"L{detail.get('level', '')}", detail.get("priority", "")
    if not sees_staff:
        return format_html(
            _("Our management was informed of this {priority}: level <b>{level}</b>"),
            priority=priority,
            level=level,
        )
    people = ", ".join(detail.get("people", [])) or _("nobody")
    if detail.get("is_early"):
        words = _("Management alert {level} to <b>{people}</b>, ahead of its hour: nobody had acknowledged")
    else:
        words = _("Management alert {level} to <b>{people}</b>")
    return format_html(words, level=level, people=people)


def _acknowledged(detail: Mapping[str, Any], who: str, sees_staff: bool) -> SafeString:
    level = f"L{detail.get('level', '')}"
    if not sees_staff:
        return format_html(_("Our management has acknowledged at level <b>{level}</b>"), level=level)
    return format_html(_("<b>{who}</b> acknowledged the alert {level}"), who=who, level=level)


def _restored(detail: Mapping[str, Any], who: str, sees_staff: bool) -> SafeString:
    return format_html(_("<b>{who}</b> marked service as restored"), who=who)


def _accepted(detail: Mapping[str, Any], who: str, sees_staff: bool) -> SafeString:
    return format_html(_("<b>{who}</b> accepted the resolution; the case is closed"), who=who)


def _wants_closure(detail: Mapping[str, Any], who: str, sees_staff: bool) -> SafeString:
    return format_html(_("<b>{who}</b> asked to close the case"), who=who)


def _handed(detail: Mapping[str, Any], who: str, sees_staff: bool) -> SafeString:
    leaver, heir = detail.get("leaver", ""), detail.get("heir", "")
    if heir:
        return format_html(
            _("<b>{leaver}</b> has left; <b>{heir}</b> looks after the case now"), leaver=leaver, heir=heir
        )
    return format_html(_("<b>{leaver}</b> has left; the case is back in the queue"), leaver=leaver)


_SENTENCES: Final[Mapping[str, Callable[[Mapping[str, Any], str, bool], SafeString]]] = {
    K.STATE: _state,
    K.ASSIGNED: _assigned,
    K.PRIORITY_RAISED: _raised,
    K.PRIORITY_LOWERED: _lowered,
    K.ALERT: _alert,
    K.ACKNOWLEDGED: _acknowledged,
    K.RESTORED: _restored,
    K.RESOLUTION_ACCEPTED: _accepted,
    K.CLOSURE_REQUESTED: _wants_closure,
    K.OWNER_LEFT: _handed,
}


@dataclass(frozen=True)
class LadderLine:
    """The ladder in two sentences, for the banner above a case that burns."""

    told: SafeString | str
    ahead: SafeString | str
    is_answered: bool


def ladder_line(steps: Sequence[Step], sees_staff: bool) -> LadderLine | None:
    """What was told to management last, and what comes next; None for a ladder that has not begun or is over."""
    fired = [step for step in steps if step.state in (RungState.FIRED, "dead")]
    ahead = next((step for step in steps if step.state == RungState.PENDING and step.due_at), None)
    if not fired:
        return None
    last = fired[-1]
    if sees_staff and last.who:
        words = (
            _("<b>{whom}</b> was alerted at {at} and has acknowledged.")
            if last.acknowledged_at
            else _("<b>{whom}</b> was alerted at {at} and has not acknowledged yet.")
        )
    else:
        words = (
            _("<b>Our management ({whom})</b> was informed at {at} and has acknowledged.")
            if last.acknowledged_at
            else _("<b>Our management ({whom})</b> was informed at {at}.")
        )
    told = format_html(words, whom=last.who or _level(last), at=_clock_time(last.fired_at))
    return LadderLine(told, _ahead(ahead), bool(last.acknowledged_at))


def _level(step: Step) -> str:
    return f"{step.level} {step.title}".strip()


def _ahead(step: Step | None) -> SafeString | str:
    if step is None:
        return ""
    words = _("{level} is next, at {at}, unless service is restored.")
    return format_html(words, level=_level(step), at=_clock_time(step.due_at))


def _clock_time(at: datetime | None) -> str:
    """The hour in the reader's zone; with the day where it is not today's."""
    if at is None:
        return ""
    local, now = timezone.localtime(at), timezone.localtime()
    zone = local.tzname() or ""
    return f"{local:%H:%M} {zone}" if local.date() == now.date() else f"{local:%Y-%m-%d %H:%M} {zone}"
