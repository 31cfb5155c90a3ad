"""Version 1 of the rules. Never edited: records that were decided by it must replay to the same answer.

A later version calls what still holds here, and says in a module of its own what does not."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from contracts.kinds import ContractState, ReleaseKind, SoftwareKind
from contracts.terms import instants, last_covered_day
from contracts.versions import sort_key as parsed
from entitlements.facts import (
    BREAK_FIX,
    CASE,
    DOWNLOAD,
    NOTICE,
    OUTSIDE_DOCUMENTS,
    PREVIEW,
    THIRD_PARTY_COMPONENT,
    UPGRADE_OR_ENHANCEMENT,
    AcceptedRelease,
    ContractFacts,
    Drift,
    ExportControlRow,
    Facts,
    Id,
    ReleaseFacts,
    Request,
    SoftwareFacts,
)
from entitlements.reasons import Code, Refusal, SetAside

# a notice compares the same few versions for thousands of organisations
sort_key: Final = lru_cache(maxsize=10_000)(parsed)
_USEFUL_FIRST: Final = {code: place for place, code in enumerate(Code)}
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_OFFERS: Final = frozenset({DOWNLOAD, NOTICE})
_IN_TERM_CLAUSE: Final = {CASE: "C25", PREVIEW: "C25", DOWNLOAD: "C33", NOTICE: "C35"}
_OUTSIDE_SERVICE: Final = {
    SoftwareKind.CONSULTING.value: (Code.CONSULTING_DELIVERABLE, "C73"),
    SoftwareKind.THIRD_PARTY.value: (Code.THIRD_PARTY_COMPONENT, "C70"),
    SoftwareKind.JUNOS.value: (Code.OTHER_VENDOR_OR_JUNOS, "C41"),
}
_EXCLUDED_SUBJECTS: Final = {
    UPGRADE_OR_ENHANCEMENT: (Code.UPGRADE_OR_ENHANCEMENT, "C39", ""),
    THIRD_PARTY_COMPONENT: (Code.THIRD_PARTY_COMPONENT, "C70", "subject"),
    OUTSIDE_DOCUMENTS: (Code.OUTSIDE_DOCUMENTS, "C71", ""),
}


class Weighed(NamedTuple):
    """What speaks against a request, and what it rests on: the contract in force, the accepted release."""

    contract_id: Id | None
    contract_number: str | None
    covered_until_on: date | None
    covered_until: datetime | None
    accepted: AcceptedRelease | None
    reasons: tuple[Refusal, ...]
    set_aside: tuple[SetAside, ...] = ()


def weigh(facts: Facts, request: Request) -> Weighed:
    """What speaks against what is asked at `request.at` (C18, C25, C33-C43, C45, C63, C70-C73).

    Granted only within `[start, end)` of an approved contract for the software, and only if nothing speaks
    against it. Reasons come most useful first: what no contract would change, then the contract, then the
    release, then what the end user can settle alone.

    Raises: ValueError if the software is not among the facts."""
    software = named_software(facts, request)
    current = _in_force(facts, request)
    basis = _basis(facts, request)
    outside = list(about_the_software(software, request))
    reasons = [*about_people_and_places(facts, request), *outside]
    if not outside:  # a contract or an acceptance would not help
        reasons += _about_the_contract(facts, request, software, current)
        reasons += _about_the_release(facts, request, basis)
        reasons += _about_the_subject(software, request)
        reasons += _about_the_end_user(facts, request)
    return Weighed(
        contract_id=current.contract.id if current else None,
        contract_number=current.contract.number if current else None,
        covered_until_on=current.last_day(facts) if current else None,
        covered_until=current.finish if current else None,
        accepted=basis,
        reasons=in_order(reasons),
    )


def named_software(facts: Facts, request: Request) -> SoftwareFacts:
    """Raises: ValueError if the software of the request is not among the facts."""
    software = next((row for row in facts.software if row.id == request.software_id), None)
    if software is None:
        raise ValueError(f"software {request.software_id!r} is not among the facts")
    return software


def in_order(reasons: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Most useful first."""
    return tuple(sorted(reasons, key=lambda reason: _USEFUL_FIRST[reason.code]))


def about_people_and_places(facts: Facts, request: Request) -> Iterator[Refusal]:
    if not facts.person_active:
        yield Refusal(code=Code.ACCOUNT_INACTIVE, clause="C52", since=facts.person_inactive_since)
    today = request.at.astimezone(UTC).date()
    told: set[str] = set()
    places = {"end_user": facts.country, "site": request.site_country, "person": request.person_country}
    for whose, name in places.items():
        country = name.upper()
        if not country or country in told:
            continue
        rows = [row for row in facts.export_control if _forbids(row, country, today)]
        if not rows:
            continue
        told.add(country)
        row = min(rows, key=lambda row: (row.from_on, row.group))
        yield Refusal(
            code=Code.EXPORT_CONTROL,
            clause="C63",
            variant=whose,
            fact={"country": country, "group": row.group},
            since=datetime.combine(row.from_on, time.min, tzinfo=UTC),
        )


def _forbids(row: ExportControlRow, country: str, today: date) -> bool:
    if row.country != country and row.country.upper() != country:
        return False
    return row.from_on <= today and (row.until_on is None or today < row.until_on)


def about_the_software(software: SoftwareFacts, request: Request) -> Iterator[Refusal]:
    overridden = software.kind == SoftwareKind.CONSULTING and request.consulting_override
    if software.kind != SoftwareKind.SUPPORTED and not overridden:
        code, clause = _OUTSIDE_SERVICE.get(software.kind, (Code.OTHER_VENDOR_OR_JUNOS, "C18"))
        yield Refusal(code=code, clause=clause, fact={"software": software.name})


def _about_the_subject(software: SoftwareFacts, request: Request) -> Iterator[Refusal]:
    if request.subject != BREAK_FIX:
        code, clause, variant = _EXCLUDED_SUBJECTS[request.subject]
        yield Refusal(code=code, clause=clause, variant=variant, fact={"software": software.name})


class _Term(NamedTuple):
    """A contract, and when it covers or would cover: `[begin, finish)`, empty if it never did."""

    contract: ContractFacts
    begin: datetime
    finish: datetime

    @property
    def was_approved(self) -> bool:
        return self.contract.state in (ContractState.APPROVED, ContractState.TERMINATED)

    @property
    def is_cut_short(self) -> bool:
        return self.contract.terminated_at == self.finish or self.finish <= self.begin

    def last_day(self, facts: Facts) -> date:
        if not self.is_cut_short:
            return last_covered_day(self.contract.ends_on)
        return (self.finish - timedelta(microseconds=1)).astimezone(facts.zone).date()


def _terms(facts: Facts, request: Request) -> list[_Term]:
    return [_term(row, facts) for row in facts.contracts if row.software_id == request.software_id]


def _term(contract: ContractFacts, facts: Facts) -> _Term:
    if (
        contract.starts_at is None or contract.ends_at is None
    ):  # fixed at approval; until then, what the dates mean
        begin, finish = instants(contract.starts_on, contract.ends_on, facts.zone)
    else:
        begin, finish = contract.starts_at, contract.ends_at
    if contract.terminated_at is not None and contract.terminated_at < finish:
        finish = contract.terminated_at
    elif contract.terminated_at is None and contract.state == ContractState.TERMINATED:
        finish = begin
    return _Term(contract, begin, finish)


def _in_force(facts: Facts, request: Request) -> _Term | None:
    terms = [term for term in _terms(facts, request) if term.was_approved]
    covering = [term for term in terms if term.begin <= request.at < term.finish]
    return max(covering, key=_by_end, default=None)


def _by_start(term: _Term) -> tuple[datetime, str]:
    return term.begin, term.contract.number


def _by_end(term: _Term) -> tuple[datetime, str]:
    return term.finish, term.contract.number


def _about_the_contract(
    facts: Facts, request: Request, software: SoftwareFacts, current: _Term | None
) -> Iterator[Refusal]:
    terms = _terms(facts, request)
    undecided = None if current else _undecided(terms, request.at)
    if current is None:
        clause = _IN_TERM_CLAUSE[request.purpose]
        refusals = [*_waiting(undecided, clause), *_past_and_coming(terms, facts, request.at, clause)]
        yield from refusals or _never(terms, facts, software, clause)
    nearest = current or undecided
    if nearest is not None and not nearest.contract.prerequisites_met:
        yield Refusal(code=Code.PREREQUISITES_MISSING, clause="C12", fact={"number": nearest.contract.number})


def _undecided(terms: Sequence[_Term], at: datetime) -> _Term | None:
    for state in (ContractState.WAITING, ContractState.DRAFT):
        ahead = [term for term in terms if term.contract.state == state and at < term.finish]
        if ahead:
            return min(ahead, key=_by_start)
    return None


def _waiting(term: _Term | None, clause: str) -> Iterator[Refusal]:
    if term is None:
        return
    yield Refusal(
        code=Code.WAITING_FOR_APPROVAL,
        clause=clause,
        variant="draft" if term.contract.state == ContractState.DRAFT else "",
        fact={"number": term.contract.number},
        since=term.contract.registered_at,
    )


def _past_and_coming(terms: Sequence[_Term], facts: Facts, at: datetime, clause: str) -> Iterator[Refusal]:
    approved = [term for term in terms if term.was_approved]
    coming = min((t for t in approved if at < t.begin < t.finish), key=_by_start, default=None)
    last = max((t for t in approved if t.finish <= at), key=_by_end, default=None)
    if coming:
        fact = {"number": coming.contract.number, "starts_on": coming.contract.starts_on.isoformat()}
        yield Refusal(code=Code.NOT_STARTED, clause=clause, fact=fact)
    if last and last.is_cut_short:
        day = last.finish.astimezone(facts.zone).date()
        fact = {"number": last.contract.number, "terminated_on": day.isoformat()}
        yield Refusal(code=Code.TERMINATED, clause=clause, fact=fact, since=last.finish)
    elif last:
        fact = {"number": last.contract.number, "ended_on": last.last_day(facts).isoformat()}
        yield Refusal(code=Code.ENDED, clause=clause, fact=fact, since=last.finish)


def _never(terms: Sequence[_Term], facts: Facts, software: SoftwareFacts, clause: str) -> Iterator[Refusal]:
    refused = [term for term in terms if term.contract.state == ContractState.REFUSED]
    if refused:
        contract = max(refused, key=_by_end).contract
        fact = {"number": contract.number}
        yield Refusal(code=Code.REGISTRATION_REFUSED, clause=clause, fact=fact, since=contract.decided_at)
    else:
        fact = {"software": software.name, "organisation": facts.organisation}
        yield Refusal(code=Code.NO_CONTRACT, clause=clause, fact=fact)


def _basis(facts: Facts, request: Request) -> AcceptedRelease | None:
    """The accepted release that the request rests on: itself, or the newest that a patch or update is for."""
    release = request.release
    if release is None or release.software_id != request.software_id:
        return None
    standing = _standing(facts, request)
    itself = [row for row in standing if row.release_id == release.id]
    if itself:
        return min(itself, key=_by_acceptance)
    if request.purpose not in _OFFERS or release.kind not in (ReleaseKind.PATCH, ReleaseKind.UPDATE):
        return None
    return max((row for row in standing if _is_made_for(release, row)), key=_by_version, default=None)


def _standing(facts: Facts, request: Request) -> list[AcceptedRelease]:
    """Accepted by then and not withdrawn; the current one of a line stays until another is accepted."""
    accepted = [
        row
        for row in facts.accepted
        if row.software_id == request.software_id and row.accepted_at <= request.at
    ]
    current = {row.line: row for row in sorted(accepted, key=_by_acceptance)}
    return [
        row
        for row in accepted
        if row.withdrawn_at is None or request.at < row.withdrawn_at or row is current[row.line]
    ]


def _by_acceptance(row: AcceptedRelease) -> tuple[datetime, str, str, str, datetime]:
    return row.accepted_at, sort_key(row.version), str(row.release_id), row.line, row.withdrawn_at or _NEVER


def _by_version(row: AcceptedRelease) -> tuple[str, tuple[datetime, str, str, str, datetime]]:
    return sort_key(row.version), _by_acceptance(row)


def _is_made_for(release: ReleaseFacts, row: AcceptedRelease) -> bool:
    if release.applies_to:
        return row.release_id in release.applies_to
    return row.line == release.line and sort_key(row.version) < sort_key(release.version)


def _about_the_release(facts: Facts, request: Request, basis: AcceptedRelease | None) -> Iterator[Refusal]:
    release, is_offer = request.release, request.purpose in _OFFERS
    if release is None:
        if request.purpose != PREVIEW:
            yield Refusal(code=Code.RELEASE_NOT_NAMED, clause="C42")
        return
    is_withdrawn = release.withdrawn_at is not None and release.withdrawn_at <= request.at
    if basis is not None and not (is_offer and is_withdrawn):
        return
    clause, fact = "C34" if is_offer else "C42", {"version": release.version}
    if release.withdrawn_at is not None and is_withdrawn:
        fact["withdrawn_on"] = release.withdrawn_at.astimezone(facts.zone).date().isoformat()
        yield Refusal(code=Code.RELEASE_WITHDRAWN, clause=clause, fact=fact, since=release.withdrawn_at)
    elif is_offer and release.kind == ReleaseKind.UPGRADE:
        yield Refusal(code=Code.UPGRADE_OR_ENHANCEMENT, clause="C39", fact=fact, variant="release")
    else:
        variant = "offer" if is_offer else ""
        yield Refusal(code=Code.RELEASE_NOT_ACCEPTED, clause=clause, fact=fact, variant=variant)


def _about_the_end_user(facts: Facts, request: Request) -> Iterator[Refusal]:
    drifts = [row for row in facts.drifts if _concerns(row, request)]
    if drifts and request.purpose != NOTICE:  # that a fix exists is worth knowing, modified or not
        drift = min(drifts, key=lambda row: (row.since, row.line))
        since = drift.since.astimezone(facts.zone).date().isoformat()
        yield Refusal(code=Code.DRIFT, clause="C43", fact={"since_on": since}, since=drift.since)
    if not facts.has_technical_contact and request.purpose not in _OFFERS:
        fact = {"organisation": facts.organisation}
        yield Refusal(code=Code.NO_TECHNICAL_CONTACT, clause="C45", fact=fact)


def _concerns(drift: Drift, request: Request) -> bool:
    line = request.release.line if request.release else ""
    is_on = drift.since <= request.at and (drift.until is None or request.at < drift.until)
    return is_on and drift.software_id == request.software_id and drift.line in ("", line)
