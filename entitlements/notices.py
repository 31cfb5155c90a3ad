"""Who is told that a patch or update is available: those whose accepted release it is made for (C23, C35)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation, User
from accounts.roles import Role
from contracts.kinds import ReleaseKind
from contracts.models import Release
from entitlements.actions import record_of
from entitlements.decision import Decision, decide
from entitlements.facts import NOTICE, Facts, Request
from entitlements.gathering import facts_for, release_facts, with_software
from entitlements.kinds import REQUEST_DECIDED, REQUEST_WAITING
from entitlements.models import DecisionRecord, ExceptionRequest, QuoteRequest
from notifications import outbox
from notifications.kinds import Kind, Pair, Queue
from notifications.models import Message

RELEASE_NOTICE = "release_notice"
RELEASE_WITHDRAWN = "release_withdrawn"
TOLD_KINDS = frozenset({ReleaseKind.PATCH, ReleaseKind.UPDATE})
TOLD_ROLES = [Role.CONTACT.value, Role.TECHNICAL_CONTACT.value]


def tell_about_release(*, release: Release, by: User, now: datetime) -> None:
    """Tell everyone concerned, in the transaction that publishes (C23); one decision record per organisation.

    Follow-up of RELEASE_PUBLISHED. Releases and upgrades are told to nobody."""
    if release.kind not in TOLD_KINDS:
        return
    answers = _decisions(release, _affected(release), now)
    DecisionRecord.objects.bulk_create([record_of(answer, facts, by=by) for answer, facts in answers])
    granted = [answer.organisation_id for answer, _facts in answers if answer.granted]
    outbox.enqueue(
        kind=RELEASE_NOTICE,
        recipients=_people(granted),
        subject=release.subject,
        path=reverse("release_detail", args=[release.software.slug, release.version]),
        context=_context(release, now),
        dedupe=f"{RELEASE_NOTICE}:{release.pk}",
        now=now,
    )


def _affected(release: Release) -> QuerySet[Organisation]:
    """Organisations that accepted, at any time, a release that this one is made for."""
    return (
        Organisation.objects.filter(acceptances__release__fixes_available=release).distinct().order_by("pk")
    )


def _decisions(
    release: Release, organisations: Iterable[Organisation], at: datetime
) -> list[tuple[Decision, Facts]]:
    """What each organisation is owed of this release. Five queries, however many they are."""
    known = facts_for(organisations, at)
    made_for = release_facts(release, release.applies_to.values_list("pk", flat=True))
    request = Request(purpose=NOTICE, software_id=release.software_id, at=at, release=made_for)
    return [(decide(with_software(facts, release.software), request), facts) for facts in known.values()]


def _people(organisation_ids: Collection[object]) -> QuerySet[Membership]:
    return (
        Membership.objects.active()
        .filter(organisation__in=list(organisation_ids), roles__overlap=TOLD_ROLES)
        .order_by("pk")
    )


def _context(release: Release, now: datetime) -> dict[str, object]:
    return {
        "software": release.software.name,
        "release": release.version,
        "release_kind": release.kind,
        "title": release.fixes.title if release.fixes else "",
        "defect": release.fixes.number if release.fixes else "",
        "made_for": ", ".join(sorted(release.applies_to.values_list("version", flat=True))),
        "published_at": now,
    }


def may_be_told(pairs: Sequence[Pair]) -> set[Pair]:
    """Asked before sending: still a contact of an organisation that is owed the notice, the release still standing.

    Reads the clock itself: delivery asks about this very moment."""
    now = timezone.now()
    wanted: dict[str, list[int]] = defaultdict(list)
    for membership, subject in pairs:
        wanted[subject].append(membership)
    told: set[Pair] = set()
    for release in _named(wanted):
        people = _contacts(wanted[release.subject])
        organisations = Organisation.objects.filter(pk__in={p.organisation_id for p in people})
        granted = {a.organisation_id for a, _facts in _decisions(release, organisations, now) if a.granted}
        told |= {(person.pk, release.subject) for person in people if person.organisation_id in granted}
    return told


def _named(subjects: Iterable[str]) -> Iterable[Release]:
    ids = [int(subject.removeprefix("release:")) for subject in subjects if subject.startswith("release:")]
    return Release.objects.published().filter(pk__in=ids).select_related("software", "line")


def _contacts(memberships: Collection[int]) -> list[Membership]:
    return list(Membership.objects.active().filter(pk__in=memberships, roles__overlap=TOLD_ROLES))


# A release that was withdrawn


def tell_about_withdrawal(*, release: Release, by: User, now: datetime) -> None:
    """Tell exactly those who were told about the release that it is withdrawn, and why.

    Follow-up of RELEASE_WITHDRAWN. Whether they may still download anything makes no difference: who has installed
    it must hear."""
    told = Message.objects.filter(kind=RELEASE_NOTICE, subject=release.subject)
    outbox.enqueue(
        kind=RELEASE_WITHDRAWN,
        recipients=Membership.objects.active().filter(pk__in=told.values("recipient")).order_by("pk"),
        subject=release.subject,
        path=reverse("release_detail", args=[release.software.slug, release.version]),
        context={
            "software": release.software.name,
            "release": release.version,
            "release_kind": release.kind,
            "reason": release.withdrawn_reason,
        },
        dedupe=f"{RELEASE_WITHDRAWN}:{release.pk}",
        now=now,
    )


def may_hear_of_withdrawal(pairs: Sequence[Pair]) -> set[Pair]:
    """Asked before sending: still an active contact, who was told of the release before."""
    subjects = {subject for _membership, subject in pairs}
    told = Message.objects.filter(
        kind=RELEASE_NOTICE,
        subject__in=subjects,
        recipient__in=[membership for membership, _subject in pairs],
    )
    active = {person.pk for person in _contacts([membership for membership, _subject in pairs])}
    return {pair for pair in told.values_list("recipient_id", "subject") if pair[0] in active} & set(pairs)


# Requests for exceptions and quotes


def may_hear_of_request(pairs: Sequence[Pair]) -> set[Pair]:
    """Asked before sending: still active, and still of the vendor's staff or of those who asked."""
    people = {
        person.pk: person
        for person in Membership.objects.active()
        .filter(pk__in=[membership for membership, _subject in pairs])
        .select_related("organisation")
    }
    askers = _askers({subject for _membership, subject in pairs})
    return {
        (pk, subject)
        for pk, subject in pairs
        if pk in people and subject in askers
        if people[pk].organisation.is_vendor or people[pk].organisation_id == askers[subject]
    }


def _askers(subjects: Collection[str]) -> dict[str, int]:
    """By subject the organisation of whoever asked."""
    found: dict[str, int] = {}
    for model in (ExceptionRequest, QuoteRequest):
        word = model(pk=0).subject.partition(":")[0]
        ids = [int(number) for name, _colon, number in (s.partition(":") for s in subjects) if name == word]
        rows = model._default_manager.filter(pk__in=ids).values_list("pk", "asked_by__organisation_id")
        found |= {f"{word}:{pk}": organisation for pk, organisation in rows}
    return found


KINDS = (
    Kind(
        name=RELEASE_NOTICE,
        label=_("A patch or update is available"),
        queue=Queue.NOTICES,
        urgency=8,
        may_tell=may_be_told,
    ),
    Kind(
        name=RELEASE_WITHDRAWN,
        label=_("A patch or update was withdrawn"),
        queue=Queue.NOTICES,
        urgency=7,
        may_tell=may_hear_of_withdrawal,
    ),
    Kind(name=REQUEST_WAITING, label=_("A request waits"), may_tell=may_hear_of_request),
    Kind(name=REQUEST_DECIDED, label=_("A request was decided"), may_tell=may_hear_of_request),
)
