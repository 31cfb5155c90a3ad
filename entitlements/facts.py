"""What a decision looks at: plain values of one organisation, and the question.

Dates are days in the end user's zone, instants know their zone, periods are half-open."""

from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.kinds import SoftwareKind
from entitlements.kinds import Purpose

CASE: Final = Purpose.CASE.value
DOWNLOAD: Final = Purpose.DOWNLOAD.value
NOTICE: Final = Purpose.NOTICE.value
PREVIEW: Final = "preview"  # what a case would get, kept nowhere; the release may be left open
PURPOSES: Final = frozenset({CASE, DOWNLOAD, NOTICE, PREVIEW})

BREAK_FIX: Final = "break_fix"
UPGRADE_OR_ENHANCEMENT: Final = "upgrade_or_enhancement"
THIRD_PARTY_COMPONENT: Final = "third_party_component"
OUTSIDE_DOCUMENTS: Final = "outside_documents"
SUBJECTS: Final = frozenset({BREAK_FIX, UPGRADE_OR_ENHANCEMENT, THIRD_PARTY_COMPONENT, OUTSIDE_DOCUMENTS})

Id = int | str | UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftwareFacts:
    id: Id
    name: str
    kind: str = SoftwareKind.SUPPORTED.value


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractFacts:
    """A service contract. `ends_on` and `ends_at` are not covered; the instants are None until approval."""

    id: Id
    number: str
    software_id: Id
    state: str
    starts_on: date
    ends_on: date
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    terminated_at: datetime | None = None
    registered_at: datetime | None = None
    decided_at: datetime | None = None
    prerequisites_met: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedRelease:
    """A release that the end user accepted; covered even when its line moves on, unless withdrawn (C34)."""

    release_id: Id
    software_id: Id
    line: str
    version: str
    accepted_at: datetime
    accepted_by: str = ""
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The installed code differs from the accepted one in `[since, until)` (C43, C72). No line: on all."""

    software_id: Id
    since: datetime
    until: datetime | None = None
    line: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportControlRow:
    """A country that may not be served during `[from_on, until_on)` (C63). Days in UTC."""

    country: str
    group: str
    from_on: date
    until_on: date | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one organisation (and of the person who asks). The order of the rows never matters."""

    organisation_id: Id
    organisation: str
    country: str
    zone: ZoneInfo
    has_technical_contact: bool
    software: tuple[SoftwareFacts, ...]
    contracts: tuple[ContractFacts, ...] = ()
    accepted: tuple[AcceptedRelease, ...] = ()
    drifts: tuple[Drift, ...] = ()
    export_control: tuple[ExportControlRow, ...] = ()
    person_active: bool = True
    person_inactive_since: datetime | None = None

    def as_record(self) -> dict[str, Any]:
        """The facts as JSON can keep them."""
        record: dict[str, Any] = plain(self)
        return record


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """The release a request is about; `applies_to`: the releases it was made for, where that is recorded."""

    id: Id
    software_id: Id
    line: str
    version: str
    kind: str
    applies_to: frozenset[Id] = frozenset()
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked. `consulting_override` is the reason why staff support a consulting deliverable (C73).

    Raises: ValueError for an unknown purpose or subject, or an instant without a zone."""

    purpose: str
    software_id: Id
    at: datetime
    release: ReleaseFacts | None = None
    site_country: str = ""
    person_country: str = ""
    subject: str = BREAK_FIX
    consulting_override: str = ""

    def __post_init__(self) -> None:
        if self.purpose not in PURPOSES or self.subject not in SUBJECTS:
            raise ValueError(f"unknown purpose or subject: {self.purpose!r}, {self.subject!r}")
        if self.at.tzinfo is None:
            raise ValueError("an instant needs a time zone")

    def as_record(self) -> dict[str, Any]:
        """The question as JSON can keep it."""
        record: dict[str, Any] = plain(self)
        return record


def plain(value: object) -> Any:
    """`value` as JSON can keep it: instants (in UTC) and dates in ISO form, rows as objects."""
    if is_dataclass(value) and not isinstance(value, type):
        return {column.name: plain(getattr(value, column.name)) for column in fields(value)}
    if isinstance(value, tuple | frozenset):
        return [plain(item) for item in (value if isinstance(value, tuple) else sorted(value, key=str))]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | ZoneInfo):
        return str(value)
    return value
