"""The facts of many organisations at once, for `decision.decide`: four queries, however many they are."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef
from django.db.models.functions import JSONObject

from accounts.models import ExcludedCountry, Membership, Organisation
from accounts.roles import Role
from contracts.kinds import ContractState
from contracts.models import Acceptance, Release, ServiceContract, Software
from contracts.prerequisites import are_agreed
from entitlements.facts import (
    AcceptedRelease,
    ContractFacts,
    ExportControlRow,
    Facts,
    ReleaseFacts,
    SoftwareFacts,
)


def facts_for(organisations: Iterable[Organisation], at: datetime) -> dict[int, Facts]:
    """By organisation id, all that a decision about it at `at` (UTC) looks at. Four queries.

    The documents of an approved contract were agreed when it was approved; of one that waits, as they stand now."""
    ids = [organisation.pk for organisation in organisations]
    if not ids:
        return {}
    contracts, software = _contracts(ids)
    accepted, more_software = _accepted(ids)
    control = _export_control(at)
    return {
        organisation.pk: Facts(
            organisation_id=organisation.pk,
            organisation=organisation.name,
            country=organisation.country,
            zone=ZoneInfo(organisation.time_zone),
            has_technical_contact=organisation.has_technical_contact,
            software=_software(
                [SoftwareFacts(**row) for row in organisation.software_rows],
                software[organisation.pk],
                more_software[organisation.pk],
            ),
            contracts=tuple(contracts[organisation.pk]),
            accepted=tuple(accepted[organisation.pk]),
            export_control=control,
        )
        for organisation in _organisations(ids)
    }


def _organisations(ids: list[int]) -> Iterable[Any]:
    contacts = Membership.objects.active().with_role(Role.TECHNICAL_CONTACT)
    software = Software.objects.filter(end_users=OuterRef("pk")).order_by("pk")
    return Organisation.objects.filter(pk__in=ids).annotate(
        has_technical_contact=Exists(contacts.filter(organisation=OuterRef("pk"))),
        software_rows=ArraySubquery(software.values(row=JSONObject(id="pk", name="name", kind="kind"))),
    )


def _software(*groups: Iterable[SoftwareFacts]) -> tuple[SoftwareFacts, ...]:
    return tuple({row.id: row for group in groups for row in group}.values())


def _contracts(
    ids: list[int],
) -> tuple[dict[int, list[ContractFacts]], dict[int, list[SoftwareFacts]]]:
    contracts: dict[int, list[ContractFacts]] = defaultdict(list)
    software: dict[int, list[SoftwareFacts]] = defaultdict(list)
    rows = (
        ServiceContract.objects.filter(end_user__in=ids)
        .select_related("software")
        .order_by("starts_on", "pk")
    )
    for row in rows.annotate(documents_agreed=are_agreed()):
        agreed: bool = row.documents_agreed  # type: ignore[attr-defined]  # annotated above
        contracts[row.end_user_id].append(_contract(row, documents_agreed=agreed))
        software[row.end_user_id].append(software_facts(row.software))
    return contracts, software


def _contract(row: ServiceContract, *, documents_agreed: bool) -> ContractFacts:
    is_undecided = row.state in (ContractState.DRAFT, ContractState.WAITING)
    return ContractFacts(
        id=row.pk,
        number=row.number,
        software_id=row.software_id,
        state=row.state,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        terminated_at=row.terminated_at,
        registered_at=row.registered_at,
        decided_at=row.decided_at,
        prerequisites_met=documents_agreed or not is_undecided,
    )


def _accepted(
    ids: list[int],
) -> tuple[dict[int, list[AcceptedRelease]], dict[int, list[SoftwareFacts]]]:
    accepted: dict[int, list[AcceptedRelease]] = defaultdict(list)
    software: dict[int, list[SoftwareFacts]] = defaultdict(list)
    rows = Acceptance.objects.filter(organisation__in=ids).order_by("accepted_at", "pk")
    for row in rows.select_related("software", "release", "line", "accepted_by__user"):
        accepted[row.organisation_id].append(
            AcceptedRelease(
                release_id=row.release_id,
                software_id=row.software_id,
                line=row.line.name,
                version=row.release.version,
                accepted_at=row.accepted_at,
                accepted_by=row.accepted_by.user.name,
                withdrawn_at=row.release.withdrawn_at,
            )
        )
        software[row.organisation_id].append(software_facts(row.software))
    return accepted, software


def _export_control(at: datetime) -> tuple[ExportControlRow, ...]:
    rows = ExcludedCountry.objects.in_force_on(at.astimezone(UTC).date()).order_by("country", "pk")
    return tuple(
        ExportControlRow(
            country=row.country, group=row.group, from_on=row.from_on, until_on=row.to_on, source=row.source
        )
        for row in rows
    )


def with_software(facts: Facts, software: Software) -> Facts:
    """The facts, with a software that the organisation has nothing to do with: the answer will say so."""
    if any(row.id == software.pk for row in facts.software):
        return facts
    return replace(facts, software=(*facts.software, software_facts(software)))


def software_facts(software: Software) -> SoftwareFacts:
    return SoftwareFacts(id=software.pk, name=software.name, kind=software.kind)


def release_facts(release: Release, applies_to: Iterable[int] = ()) -> ReleaseFacts:
    """`applies_to`: ids of the releases it was made for; only offers (notices, downloads) ask for them."""
    return ReleaseFacts(
        id=release.pk,
        software_id=release.software_id,
        line=release.line.name,
        version=release.version,
        kind=release.kind,
        applies_to=frozenset(applies_to),
        withdrawn_at=release.withdrawn_at,
    )
