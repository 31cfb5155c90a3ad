"""Facts about Acme Telecom and its PathKeeper as plain rows, for tests of the decision."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.kinds import ContractState, ReleaseKind
from contracts.terms import instants
from entitlements.facts import (
    CASE,
    AcceptedRelease,
    ContractFacts,
    ExportControlRow,
    Facts,
    ReleaseFacts,
    Request,
    SoftwareFacts,
)

LOS_ANGELES, SEOUL, KATHMANDU = map(ZoneInfo, ("America/Los_Angeles", "Asia/Seoul", "Asia/Kathmandu"))
MOMENT: Final = timedelta(microseconds=1)
NOW: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
PATHKEEPER, OTHER = 1, 2


def contract(number: str = "CS-2025-0031", zone: ZoneInfo = LOS_ANGELES, **changes: Any) -> ContractFacts:
    row = ContractFacts(
        id=int(number[-4:]),
        number=number,
        software_id=PATHKEEPER,
        state=ContractState.APPROVED,
        starts_on=date(2025, 11, 1),
        ends_on=date(2026, 11, 1),
    )
    row = replace(row, **changes)
    if row.state in (ContractState.WAITING, ContractState.DRAFT, ContractState.REFUSED):
        return row
    starts_at, ends_at = instants(row.starts_on, row.ends_on, zone)
    return replace(row, starts_at=starts_at, ends_at=ends_at)


def accepted(version: str = "21.4R3-S5", **changes: Any) -> AcceptedRelease:
    row = AcceptedRelease(
        release_id=f"release {version}",
        software_id=PATHKEEPER,
        line="21.4R3",
        version=version,
        accepted_at=datetime(2025, 10, 1, tzinfo=UTC),
        accepted_by="Alice",
    )
    return replace(row, **changes)


def release(version: str = "21.4R3-S5", kind: str = ReleaseKind.RELEASE, **changes: Any) -> ReleaseFacts:
    row = ReleaseFacts(
        id=f"release {version}", software_id=PATHKEEPER, line="21.4R3", version=version, kind=kind
    )
    return replace(row, **changes)


def facts(**changes: Any) -> Facts:
    acme = Facts(
        organisation_id=UUID(int=7),
        organisation="Acme Telecom",
        country="US",
        zone=LOS_ANGELES,
        has_technical_contact=True,
        software=(SoftwareFacts(id=PATHKEEPER, name="PathKeeper"), SoftwareFacts(id=OTHER, name="FlowMeter")),
        contracts=(contract(),),
        accepted=(accepted(),),
        export_control=(
            ExportControlRow(country="KP", group="E:1", from_on=date(2000, 1, 1)),
            ExportControlRow(country="SD", group="E:1", from_on=date(2000, 1, 1), until_on=date(2026, 6, 2)),
            ExportControlRow(country="XX", group="E:1", from_on=date(2026, 6, 2)),
        ),
    )
    return replace(acme, **changes)


def ask(purpose: str = CASE, **changes: Any) -> Request:
    question = Request(purpose=purpose, software_id=PATHKEEPER, at=NOW, release=release(), site_country="US")
    return replace(question, **changes)


def kind_of(kind: str) -> Facts:
    return facts(software=(SoftwareFacts(id=PATHKEEPER, name="PathKeeper", kind=kind),))
