"""Version 2 of the rules: version 1, and exceptions, components by name, all exclusions of C69 to C73, registration."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from contracts.kinds import SoftwareKind
from entitlements.facts import (
    BREAK_FIX,
    CASE,
    CONSULTING,
    DOWNLOAD,
    EXCEPTION,
    MODIFICATION,
    NOTICE,
    PREVIEW,
    REGISTRATION,
    WARRANTY,
    ExceptionFacts,
    Facts,
    Request,
    SoftwareFacts,
)
from entitlements.reasons import MAY_BE_SET_ASIDE, Code, Refusal, SetAside
from entitlements.rules import v1
from entitlements.rules.v1 import Weighed

_NEW_SUBJECTS: Final = {
    WARRANTY: (Code.WARRANTY, "C69", ""),
    MODIFICATION: (Code.MODIFICATION, "C72", ""),
    CONSULTING: (Code.CONSULTING_DELIVERABLE, "C73", "subject"),
}


def weigh(facts: Facts, request: Request) -> Weighed:
    """What speaks against what is asked, and what an exception in force sets aside of it (C43, C69-C73).

    Raises: ValueError if the software is not among the facts."""
    software = v1.named_software(facts, request)
    if request.purpose == REGISTRATION:
        return _registration(facts, request, software)
    passes = _passes(facts, request)
    found = v1.weigh(facts, _as_version_1(software, request, passes))
    told = {reason.code for reason in found.reasons}
    also = [reason for reason in _also(software, request) if reason.code not in told]
    reasons = v1.in_order([*found.reasons, *also])
    if not passes:
        return found._replace(reasons=reasons)
    used = {reason.code: passes[reason.code] for reason in reasons if reason.code in passes}
    if _is_let_pass(software, request, passes):
        used[Code.CONSULTING_DELIVERABLE] = passes[Code.CONSULTING_DELIVERABLE]
    return _limited(
        found._replace(
            reasons=tuple(reason for reason in reasons if reason.code not in used),
            set_aside=tuple(SetAside(code, str(used[code].id)) for code in Code if code in used),
        ),
        facts,
        list(used.values()),
    )


def _registration(facts: Facts, request: Request, software: SoftwareFacts) -> Weighed:
    """May this contract be registered at all: people, places and the software. Its term is not asked for here."""
    contract = next((row for row in facts.contracts if row.id == request.contract_id), None)
    reasons = [*v1.about_people_and_places(facts, request), *v1.about_the_software(software, request)]
    return Weighed(
        contract_id=contract.id if contract else None,
        contract_number=contract.number if contract else None,
        covered_until_on=None,
        covered_until=None,
        accepted=None,
        reasons=v1.in_order(reasons),
    )


def _passes(facts: Facts, request: Request) -> dict[Code, ExceptionFacts]:
    """By reason the exception in force that sets it aside; of several the one that lasts longest."""
    release_id = request.release.id if request.release else None
    in_force = [
        row
        for row in facts.exceptions
        if row.software_id == request.software_id
        and row.release_id in (None, release_id)
        and row.starts_at <= request.at < row.ends_at
    ]
    ordered = sorted(in_force, key=lambda row: (row.ends_at, str(row.id)))
    return {code: row for row in ordered for code in map(Code, row.codes) if code in MAY_BE_SET_ASIDE}


def _as_version_1(
    software: SoftwareFacts, request: Request, passes: Mapping[Code, ExceptionFacts]
) -> Request:
    """The question in words that version 1 knows."""
    purpose, override = request.purpose, request.consulting_override
    if purpose == EXCEPTION:
        purpose = PREVIEW if request.release is None else CASE
    if _is_let_pass(software, request, passes):
        override = str(passes[Code.CONSULTING_DELIVERABLE].id)
    subject = BREAK_FIX if request.subject in _NEW_SUBJECTS else request.subject
    if (purpose, subject, override) == (request.purpose, request.subject, request.consulting_override):
        return request
    return replace(request, purpose=purpose, subject=subject, consulting_override=override)


def _is_let_pass(software: SoftwareFacts, request: Request, passes: Mapping[Code, ExceptionFacts]) -> bool:
    """Whether a consulting deliverable is judged like custom software because of an exception (C73)."""
    is_asked = software.kind == SoftwareKind.CONSULTING and not request.consulting_override
    return is_asked and Code.CONSULTING_DELIVERABLE in passes


def _also(software: SoftwareFacts, request: Request) -> Iterator[Refusal]:
    """What version 1 did not know. No case is owed about a component, but an update may carry one (C37, C70)."""
    if request.subject in _NEW_SUBJECTS:
        code, clause, variant = _NEW_SUBJECTS[request.subject]
        yield Refusal(code=code, clause=clause, variant=variant, fact={"software": software.name})
    named = request.component.strip().casefold()
    components = request.release.components if request.release else ()
    if named and request.purpose not in (DOWNLOAD, NOTICE):
        found = next((name for name in sorted(components) if name.casefold() == named), None)
        if found is not None:
            fact = {"component": found, "software": software.name}
            yield Refusal(code=Code.THIRD_PARTY_COMPONENT, clause="C70", variant="component", fact=fact)


def _limited(found: Weighed, facts: Facts, used: Sequence[ExceptionFacts]) -> Weighed:
    """What rests on an exception is covered no longer than it lasts."""
    if found.covered_until is None or not used:
        return found
    last = min(row.ends_at for row in used)
    if last >= found.covered_until:
        return found
    day = (last - timedelta(microseconds=1)).astimezone(facts.zone).date()
    return found._replace(covered_until=last, covered_until_on=day)
