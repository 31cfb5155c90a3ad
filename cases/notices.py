"""What is told about cases: the kinds of messages, who hears of what, and who may still be told at sending.

Internal notes are nobody's message. What a customer is told is what the customer may read at that moment."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, User
from accounts.roles import Permission, Role
from cases.models import Case, CaseEvent, Watcher
from cases.workflow import FollowUp
from entitlements.kinds import Priority
from notifications import kinds
from notifications.kinds import Kind, Pair, Queue
from notifications.models import Message
from notifications.outbox import enqueue

ALERT: Final = "case_alert"
ESCALATION: Final = "case_escalation"
OPENED: Final = "case_opened"
REPLY: Final = "case_reply"
UPDATE: Final = "case_update"

SUBJECT: Final = "case:"
# P1 before P2 before the others, all of them before anything that can wait
ALERT_URGENCY: Final = {Priority.P1: 0, Priority.P2: 1}
LONGEST_QUOTE: Final = 20_000


def register_kinds() -> None:
    """Make the messages of this app known; called once, when the app is ready."""
    for kind in (
        Kind(
            name=ALERT,
            label=_("Management alert"),
            queue=Queue.ALERTS,
            urgency=2,
            needs_acknowledgement=True,
            mandatory=True,
            may_tell=may_tell,
        ),
        Kind(
            name=ESCALATION,
            label=_("A customer asks for escalation"),
            queue=Queue.ALERTS,
            urgency=1,
            mandatory=True,
            may_tell=may_tell,
        ),
        Kind(name=OPENED, label=_("A case was opened"), may_tell=may_tell),
        Kind(name=REPLY, label=_("A reply to a case"), may_tell=may_tell),
        Kind(name=UPDATE, label=_("A change of a case"), may_tell=may_tell),
    ):
        kinds.register(kind)


def may_tell(pairs: Sequence[Pair]) -> set[Pair]:
    """Those who may see the case at this moment: the rule of `Case.objects.visible_to`, in three queries."""
    members = {
        m.pk: m
        for m in Membership.objects.active()
        .filter(pk__in={pk for pk, _subject in pairs})
        .only("pk", "organisation_id", "roles")
    }
    cases = {
        f"{SUBJECT}{case.number}": case
        for case in Case.objects.filter(
            number__in={subject.removeprefix(SUBJECT) for _pk, subject in pairs}
        ).only("pk", "number", "organisation_id", "is_restricted", "opened_by_id", "contact_id")
    }
    restricted = [case.pk for case in cases.values() if case.is_restricted]
    watching = set(
        Watcher.objects.filter(case__in=restricted, membership__in=members).values_list(
            "membership_id", "case_id"
        )
        if restricted
        else ()
    )
    return {
        (pk, subject)
        for pk, subject in pairs
        if pk in members and subject in cases and _may_see(members[pk], cases[subject], watching)
    }


def _may_see(member: Membership, case: Case, watching: Collection[tuple[int, int]]) -> bool:
    if Permission.CASE_VIEW_ALL in member.permissions:
        return True
    if member.organisation_id != case.organisation_id:
        return False
    named = member.pk in (case.opened_by_id, case.contact_id) or (member.pk, case.pk) in watching
    return not case.is_restricted or named


def path_of(case: Case) -> str:
    """Its page. Written out: the engine, which tells too, loads no views for it."""
    return f"/cases/{case.number}/"


def context_of(case: Case, by: User | None, **more: Any) -> dict[str, Any]:
    """What every message about a case may say. Codes, not words: the template has the reader's language."""
    return {
        "number": case.number,
        "synopsis": case.synopsis,
        "organisation": case.organisation.name,
        "software": case.software.name,
        "reference": case.customer_reference,
        "priority": case.priority,
        "author": by.name if by else "",
        **more,
    }


def customer_side(case: Case) -> list[Membership]:
    """Whoever looks after the case at the customer, and the people kept informed."""
    watching = Membership.objects.filter(watched_cases__case=case)
    return list(
        Membership.objects.active().filter(pk=case.contact_id) | Membership.objects.active() & watching
    )


def our_side(case: Case) -> list[Membership]:
    """The engineer who has the case; nobody while it lies in the queue, which shows it."""
    return list(Membership.objects.active().filter(pk=case.owner_id)) if case.owner_id else []


def already_alerted(case: Case) -> list[Membership]:
    """Everybody in management to whom an alert about this case was written."""
    alerts = Message.objects.filter(subject=case.subject, kind=ALERT)
    return list(Membership.objects.active().filter(pk__in=alerts.values("recipient")))


def tell(
    kind: str,
    case: Case,
    recipients: Iterable[Membership],
    *,
    by: User | None,
    now: datetime,
    dedupe: str,
    urgency: int | None = None,
    **more: Any,
) -> list[Message]:
    """Write one message to each of them but the writer. `more` is what the templates of the kind show besides."""
    author = by.acting.pk if by and by.acting else None
    return enqueue(
        kind=kind,
        recipients=[person for person in recipients if person.pk != author],
        subject=case.subject,
        path=path_of(case),
        context=context_of(case, by, **more),
        dedupe=f"{kind}:{case.number}:{dedupe}",
        now=now,
        urgency=urgency,
    )


def tell_of_opening(case: Case, watchers: Sequence[Membership], *, by: User, now: datetime) -> None:
    """The people kept informed, and the contact for whom somebody else opened it (C20, C27)."""
    due_at = case.first_response_due_at
    tell(OPENED, case, [case.contact, *watchers], by=by, now=now, dedupe="opened", due_at=due_at)


def tell_of_reply(case: Case, event: CaseEvent, *, by: User, now: datetime) -> None:
    """The other side, with the words themselves unless the customer asked for a link only (C29)."""
    if by.can(Permission.CASE_VIEW_ALL):
        body = event.body if case.follow_up == FollowUp.FULL_MAIL else ""
        recipients = customer_side(case)
    else:
        body, recipients = event.body, our_side(case)
    tell(REPLY, case, recipients, by=by, now=now, dedupe=str(event.pk), text=body[:LONGEST_QUOTE])


def tell_of_update(
    case: Case,
    event: CaseEvent,
    recipients: Iterable[Membership],
    *,
    by: User | None,
    now: datetime,
    **more: Any,
) -> None:
    """That something changed; `event.kind` and its detail say what."""
    tell(
        UPDATE, case, recipients, by=by, now=now, dedupe=str(event.pk),
        what=event.kind, text=event.body[:LONGEST_QUOTE], **event.detail, **more,
    )  # fmt: skip


def duty_managers() -> list[Membership]:
    """All duty managers, on duty or not: whom a customer's wish for escalation reaches (C22, C24)."""
    return list(Membership.objects.active().with_role(Role.DUTY_MANAGER))
