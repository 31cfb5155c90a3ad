"""Many organisations that each have a software, a contract in force, an accepted release and a contact, in bulk."""

from datetime import UTC, date, datetime

from accounts.models import Membership, Organisation, User
from accounts.roles import OrganisationKind, Role
from contracts.kinds import Channel, ContractState
from contracts.models import Acceptance, Drift, Release, ServiceContract, Software
from tests.factories import LONG_AGO

EDGES = (date(2026, 4, 1), date(2027, 4, 1))


def make(count: int, release: Release, staff: User) -> list[Organisation]:
    """`count` organisations; every tenth has a drift that lasts. A handful of statements, however many they are."""
    organisations = Organisation.objects.bulk_create(
        Organisation(
            name=f"Customer {n}",
            slug=f"customer-{n}",
            kind=OrganisationKind.END_USER,
            address="1 Main Street",
            country="US",
            time_zone="America/Los_Angeles",
            created_at=LONG_AGO,
        )
        for n in range(count)
    )
    contacts = _contacts(organisations)
    links = Software.end_users.through
    links.objects.bulk_create(
        links(software_id=release.software_id, organisation_id=one.pk) for one in organisations
    )
    _contracts(organisations, contacts, release, staff)
    Acceptance.objects.bulk_create(
        Acceptance(
            organisation=one,
            software_id=release.software_id,
            line_id=release.line_id,
            release=release,
            accepted_at=LONG_AGO,
            accepted_by=contact,
        )
        for one, contact in zip(organisations, contacts, strict=True)
    )
    Drift.objects.bulk_create(
        Drift(
            organisation=one,
            software_id=release.software_id,
            line_id=release.line_id,
            release=release,
            since=LONG_AGO,
            evidence="Changed by hand.",
            recorded_by=contact,
            recorded_at=LONG_AGO,
        )
        for one, contact in list(zip(organisations, contacts, strict=True))[::10]
    )
    return organisations


def _contacts(organisations: list[Organisation]) -> list[Membership]:
    people = User.objects.bulk_create(
        User(name=f"Contact of {one.name}", email=f"contact@{one.slug}.example", created_at=LONG_AGO)
        for one in organisations
    )
    return Membership.objects.bulk_create(
        Membership(user=user, organisation=one, roles=[Role.TECHNICAL_CONTACT.value], started_at=LONG_AGO)
        for user, one in zip(people, organisations, strict=True)
    )


def _contracts(
    organisations: list[Organisation], contacts: list[Membership], release: Release, staff: User
) -> None:
    starts_on, ends_on = EDGES
    starts_at, ends_at = (datetime.combine(day, datetime.min.time(), UTC) for day in EDGES)
    ServiceContract.objects.bulk_create(
        ServiceContract(
            number=f"CS-2026-{n:05}",
            end_user=one,
            software_id=release.software_id,
            channel=Channel.DIRECT,
            starts_on=starts_on,
            ends_on=ends_on,
            zone="America/Los_Angeles",
            starts_at=starts_at,
            ends_at=ends_at,
            state=ContractState.APPROVED,
            has_agreed_documents=True,
            registered_by=contact,
            registered_at=LONG_AGO,
            decided_by=staff.acting,
            decided_at=LONG_AGO,
        )
        for n, (one, contact) in enumerate(zip(organisations, contacts, strict=True))
    )
