"""Rows for tests: the least that makes sense, everything overridable."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, TypeVar

import factory
from allauth.account.models import EmailAddress

from accounts.models import Membership, Organisation, Site, User
from accounts.roles import OrganisationKind, Role
from contracts.kinds import Channel, ContractState, DocumentKind, ReleaseKind, ReleaseState
from contracts.models import (
    Acceptance,
    Defect,
    DocumentAgreement,
    Drift,
    InstallTask,
    IntegrityCheck,
    PrerequisiteDocument,
    Release,
    ReleaseLine,
    ServiceContract,
    Software,
)
from contracts.versions import sort_key

PASSWORD = "portal-demo"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2025, 1, 7, 9, 0, tzinfo=UTC)

T = TypeVar("T")


class Rows(factory.django.DjangoModelFactory, Generic[T]):  # type: ignore[misc, type-arg]
    class Meta:
        abstract = True

    @classmethod
    def make(cls, **kwargs: Any) -> T:
        row: T = cls.create(**kwargs)
        return row


class OrganisationFactory(Rows[Organisation]):
    name = factory.Sequence(lambda n: f"Organisation {n}")
    slug = factory.LazyAttribute(lambda o: o.name.lower().replace(" ", "-"))
    kind = OrganisationKind.END_USER
    address = "1 Main Street, San Jose, CA"
    country = "US"
    time_zone = "America/Los_Angeles"
    created_at = LONG_AGO

    class Meta:
        model = Organisation


class SiteFactory(Rows[Site]):
    organisation = factory.SubFactory(OrganisationFactory)
    name = factory.Sequence(lambda n: f"Site {n}")
    country = factory.SelfAttribute("organisation.country")
    time_zone = factory.SelfAttribute("organisation.time_zone")
    telephone = "+1 408 555 0199"

    class Meta:
        model = Site


class UserFactory(Rows[User]):
    name = factory.Sequence(lambda n: f"Person {n}")
    email = factory.Sequence(lambda n: f"person{n}@acme.example")
    created_at = LONG_AGO

    class Meta:
        model = User


class MembershipFactory(Rows[Membership]):
    user = factory.SubFactory(UserFactory)
    organisation = factory.SubFactory(OrganisationFactory)
    roles = factory.LazyFunction(lambda: [Role.CONTACT.value])
    started_at = LONG_AGO

    class Meta:
        model = Membership


def person(email: str, name: str, organisation: Organisation, *roles: Role, **fields: Any) -> User:
    """A person who acts in the organisation with these roles; signs in with PASSWORD."""
    user = UserFactory.make(email=email, name=name, time_zone=organisation.time_zone, **fields)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    user.acting = MembershipFactory.make(user=user, organisation=organisation, roles=[r.value for r in roles])
    return user


class SoftwareFactory(Rows[Software]):
    name = factory.Sequence(lambda n: f"Software {n}")
    slug = factory.LazyAttribute(lambda o: o.name.lower().replace(" ", "-"))
    sow_reference = "SOW-2024-17"
    deliverable = "Path computation for the core"
    created_at = LONG_AGO

    class Meta:
        model = Software


class ReleaseLineFactory(Rows[ReleaseLine]):
    software = factory.SubFactory(SoftwareFactory)
    name = "21.4R3"

    class Meta:
        model = ReleaseLine


class DefectFactory(Rows[Defect]):
    software = factory.SubFactory(SoftwareFactory)
    number = factory.Sequence(lambda n: f"D-{1000 + n}")
    title = "Spool rotation fails on full disks"
    created_at = LONG_AGO

    class Meta:
        model = Defect


class ReleaseFactory(Rows[Release]):
    """Published, unless `state` says otherwise; `published_by` is then made up by a PS person."""

    line = factory.SubFactory(ReleaseLineFactory)
    software = factory.SelfAttribute("line.software")
    version = "21.4R3-S5"
    sort_key = factory.LazyAttribute(lambda o: sort_key(o.version))
    kind = ReleaseKind.RELEASE
    state = ReleaseState.PUBLISHED
    published_at = LONG_AGO
    published_by = factory.SubFactory(MembershipFactory)
    created_at = LONG_AGO

    class Meta:
        model = Release


def accept(organisation: Organisation, release: Release, by: User, at: datetime = LONG_AGO) -> Acceptance:
    return Acceptance.objects.create(
        organisation=organisation,
        software=release.software,
        line=release.line,
        release=release,
        accepted_at=at,
        accepted_by=by.acting,
    )


def agreed_documents(organisation: Organisation, software: Software, by: User, vendor: User) -> None:
    for kind in DocumentKind:
        document = PrerequisiteDocument.objects.create(
            organisation=organisation,
            software=software,
            kind=kind,
            version="1.0",
            title=str(kind.label),
            created_at=LONG_AGO,
        )
        for side, who in (("end_user", by), ("vendor", vendor)):
            DocumentAgreement.objects.create(
                document=document, side=side, agreed_by=who.acting, agreed_at=LONG_AGO
            )


class ContractFactory(Rows[ServiceContract]):
    """Approved and in force at NOW, unless dates or state say otherwise. Needs `registered_by`, `decided_by`."""

    number = factory.Sequence(lambda n: f"CS-2020-{n:04d}")
    end_user = factory.SubFactory(OrganisationFactory)
    software = factory.SubFactory(SoftwareFactory)
    channel = Channel.DIRECT
    starts_on = date(2026, 4, 1)
    ends_on = date(2027, 4, 1)
    zone = "UTC"
    starts_at = factory.LazyAttribute(lambda o: datetime.combine(o.starts_on, datetime.min.time(), UTC))
    ends_at = factory.LazyAttribute(lambda o: datetime.combine(o.ends_on, datetime.min.time(), UTC))
    state = ContractState.APPROVED
    has_agreed_documents = True
    registered_by = factory.SubFactory(MembershipFactory)
    registered_at = LONG_AGO
    decided_by = factory.SubFactory(MembershipFactory)
    decided_at = LONG_AGO + timedelta(days=1)

    class Meta:
        model = ServiceContract


class InstallTaskFactory(Rows[InstallTask]):
    """Open. Needs `organisation`, `release`, `created_by`."""

    software = factory.SelfAttribute("release.software")
    instruction = "Stop the service, unpack, start it again."
    due_on = date(2026, 12, 1)
    created_at = LONG_AGO

    class Meta:
        model = InstallTask


class IntegrityCheckFactory(Rows[IntegrityCheck]):
    """A clean one. Needs `organisation`, `release`, `checked_by`."""

    software = factory.SelfAttribute("release.software")
    checked_at = LONG_AGO
    intact, changed, missing, extra, broken = 1, 0, 0, 0, 0
    findings = factory.LazyFunction(list)

    class Meta:
        model = IntegrityCheck


class DriftFactory(Rows[Drift]):
    """Claimed, and lasting. Needs `organisation`, `release`, `recorded_by`."""

    software = factory.SelfAttribute("release.software")
    line = factory.SelfAttribute("release.line")
    since = LONG_AGO
    evidence = "The checksum of bin/pathkeeper in the case's log differs."
    recorded_at = LONG_AGO

    class Meta:
        model = Drift
