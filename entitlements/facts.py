"""What a decision looks at: plain values of one organisation, and the question.

Dates are days in the end user's zone, instants know their zone, periods are half-open."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from types import UnionType
from typing import Any, Final, TypeVar, cast, get_args, get_origin, get_type_hints
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.kinds import SoftwareKind
from entitlements.kinds import Purpose, Subject

CASE: Final = Purpose.CASE.value
DOWNLOAD: Final = Purpose.DOWNLOAD.value
NOTICE: Final = Purpose.NOTICE.value
EXCEPTION: Final = Purpose.EXCEPTION.value  # as a case, with the release left open or named
REGISTRATION: Final = Purpose.REGISTRATION.value  # may this contract be registered at all
PREVIEW: Final = "preview"  # what a case would get, kept nowhere; the release may be left open
PURPOSES: Final = frozenset({*Purpose.values, PREVIEW})

BREAK_FIX: Final = Subject.BREAK_FIX.value
UPGRADE_OR_ENHANCEMENT: Final = Subject.UPGRADE_OR_ENHANCEMENT.value
THIRD_PARTY_COMPONENT: Final = Subject.THIRD_PARTY_COMPONENT.value
OUTSIDE_DOCUMENTS: Final = Subject.OUTSIDE_DOCUMENTS.value
WARRANTY: Final = Subject.WARRANTY.value
MODIFICATION: Final = Subject.MODIFICATION.value
CONSULTING: Final = Subject.CONSULTING.value
SUBJECTS: Final = frozenset(Subject.values)

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
class ExceptionFacts:
    """Reasons that two administrators set aside during `[starts_at, ends_at)`; no release: for all of them."""

    id: Id
    software_id: Id
    codes: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    release_id: Id | None = None
    is_chargeable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """A priority's targets in the policy in force: minutes, each on its own clock. Never guarantees (C15, C74)."""

    priority: str
    first_response_minutes: int
    first_response_clock: str
    update_minutes: int
    update_clock: str

    @property
    def first_response(self) -> timedelta:
        return timedelta(minutes=self.first_response_minutes)


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
    exceptions: tuple[ExceptionFacts, ...] = ()
    export_control: tuple[ExportControlRow, ...] = ()
    targets: tuple[TargetFacts, ...] = ()
    person_active: bool = True
    person_inactive_since: datetime | None = None

    def as_record(self) -> dict[str, Any]:
        """The facts as JSON can keep them."""
        record: dict[str, Any] = plain(self)
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Facts":
        """What `as_record` wrote, in this version or an earlier one."""
        return restored(cls, record)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """The release a request is about; `applies_to`: the releases it was made for, where that is recorded.

    `components`: names of its third-party components, where the question names one (C70)."""

    id: Id
    software_id: Id
    line: str
    version: str
    kind: str
    applies_to: frozenset[Id] = frozenset()
    withdrawn_at: datetime | None = None
    components: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked. `consulting_override` is the reason why staff support a consulting deliverable (C73).

    `component`: the part of the software that the request is about, by name. `contract_id`: the contract that is
    registered, for a registration.

    Raises: ValueError for an unknown purpose or subject, or an instant without a zone."""

    purpose: str
    software_id: Id
    at: datetime
    release: ReleaseFacts | None = None
    site_country: str = ""
    person_country: str = ""
    subject: str = BREAK_FIX
    consulting_override: str = ""
    component: str = ""
    contract_id: Id | None = None

    def __post_init__(self) -> None:
        if self.purpose not in PURPOSES or self.subject not in SUBJECTS:
            raise ValueError(f"unknown purpose or subject: {self.purpose!r}, {self.subject!r}")
        if self.at.tzinfo is None:
            raise ValueError("an instant needs a time zone")

    def as_record(self) -> dict[str, Any]:
        """The question as JSON can keep it."""
        record: dict[str, Any] = plain(self)
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Request":
        """What `as_record` wrote, in this version or an earlier one."""
        return restored(cls, record)


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


RowT = TypeVar("RowT")


def restored(kind: type[RowT], record: Mapping[str, Any]) -> RowT:
    """The row that `plain` wrote. A field that its version did not know yet has its default."""
    return kind(
        **{
            name: _value(of, record[name])
            for name, of in _types(cast("Hashable", kind)).items()
            if name in record
        }
    )


@cache
def _types(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(kind: Any, value: Any) -> Any:
    """`value` from JSON as the type of its field says; ids stay the text or number that they are there."""
    if value is None or kind == Id:
        return value
    if isinstance(kind, UnionType) or get_origin(kind) is not None:
        return _composed(kind, value)
    if kind in (datetime, date):
        return kind.fromisoformat(value)
    return restored(kind, value) if isinstance(kind, type) and is_dataclass(kind) else kind(value)


def _composed(kind: Any, value: Any) -> Any:
    outer, inner = get_origin(kind), get_args(kind)
    if outer in (tuple, frozenset):
        return outer(_value(inner[0], item) for item in value)
    present = set(inner) - {type(None)}
    return value if present == set(get_args(Id)) else _value(present.pop(), value)
