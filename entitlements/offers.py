"""What an end user may download now, release by release, and what stands in the way of the rest (C5, C33, C34)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.models import Membership, User
from contracts.models import (
    GoverningDocument,
    LicenceAcceptance,
    Release,
    ReleaseFile,
    ServiceContract,
    Software,
)
from entitlements.actions.deciding import site_country_of, with_person
from entitlements.actions.gate import licence_of
from entitlements.decision import Decision, decide
from entitlements.facts import DOWNLOAD, Request
from entitlements.gathering import facts_for, release_facts, with_software


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A release; `licence` is the one to accept first, if there is one."""

    release: Release
    decision: Decision
    files: tuple[ReleaseFile, ...]
    licence: GoverningDocument | None

    @property
    def is_open(self) -> bool:
        return self.decision.granted and self.licence is None


def offers_of(releases: Sequence[Release], *, by: User, acting: Membership, at: datetime) -> list[Offer]:
    """In the order of `releases`, which bring their files and what they apply to along. Writes nothing."""
    organisation = acting.organisation
    facts = with_person(facts_for([organisation], at)[organisation.pk], by)
    place = site_country_of(organisation, facts)
    accepted = set(
        LicenceAcceptance.objects.filter(organisation=organisation).values_list("licence", flat=True)
    )
    licences: dict[tuple[int | None, object], GoverningDocument | None] = {}
    offers = []
    for release in releases:
        request = Request(
            purpose=DOWNLOAD,
            software_id=release.software_id,
            at=at,
            release=release_facts(release, [other.pk for other in release.applies_to.all()]),
            site_country=place,
            person_country=by.country,
        )
        answer = decide(with_software(facts, release.software), request)
        named = (release.licence_id or release.software.licence_id, answer.contract_id)
        if named not in licences:  # as many queries as there are licences, not releases
            licences[named] = licence_of(release, answer, at) if answer.granted else None
        licence = licences[named]
        missing = licence if licence is not None and licence.pk not in accepted else None
        files = tuple(row for row in release.files.all() if row.stored is not None)
        offers.append(Offer(release=release, decision=answer, files=files, licence=missing))
    return offers


def licences_for(user: User) -> QuerySet[GoverningDocument]:
    """Licences, in every version, that govern a software, release or contract that the person sees."""
    software = Software.objects.visible_to(user).exclude(licence=None).values("licence")
    releases = Release.objects.visible_to(user).exclude(licence=None).values("licence")
    contracts = ServiceContract.objects.visible_to(user).exclude(licence=None).values("licence")
    named = GoverningDocument.objects.filter(Q(pk__in=software) | Q(pk__in=releases) | Q(pk__in=contracts))
    titles = named.values_list("kind", "title")
    wanted = Q(pk__in=[])
    for kind, title in titles:
        wanted |= Q(kind=kind, title=title)
    return GoverningDocument.objects.filter(wanted)
