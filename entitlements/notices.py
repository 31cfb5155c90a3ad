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
from entitlements.models import DecisionRecord
from notifications import outbox
from notifications.kinds import Kind, Pair, Queue

RELEASE_NOTICE = "release_notice"
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


KIND = Kind(
    name=RELEASE_NOTICE,
    label=_("A patch or update is available"),
    queue=Queue.NOTICES,
    urgency=8,
    may_tell=may_be_told,
)
