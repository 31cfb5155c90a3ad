"""May they? One pure decision about one organisation, one software, one instant, with every reason against.

Callers fetch the `Facts` of one organisation, ask, and keep the records of facts, request and decision. The rules
themselves stand in `rules`, by version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from entitlements.facts import (
    CASE,
    EXCEPTION,
    PREVIEW,
    AcceptedRelease,
    Facts,
    Id,
    Request,
    TargetFacts,
    plain,
)
from entitlements.reasons import Refusal, SetAside, granted_sentence, registered_sentence
from entitlements.rules import RULES

RULE_VERSION: Final = 2
"""Goes up with every change of what is decided; a frozen record says by which rules it was taken."""

_WITH_TARGETS: Final = frozenset({CASE, PREVIEW, EXCEPTION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer. Contract and end are those in force, also when something else stands in the way.

    `covered_until_on` is the last covered day, `covered_until` the first uncovered instant (UTC); of an exception,
    if one was needed and ends earlier. `accepted` is the accepted release that the request rests on, `set_aside`
    what an exception let pass, `targets` what a case would get (never guarantees: C15, C74)."""

    request: Request
    organisation_id: Id
    granted: bool
    contract_id: Id | None = None
    contract_number: str | None = None
    covered_until_on: date | None = None
    covered_until: datetime | None = None
    accepted: AcceptedRelease | None = None
    reasons: tuple[Refusal, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    targets: tuple[TargetFacts, ...] = ()
    rule_version: int = RULE_VERSION

    def explain(self) -> list[str]:
        """The decision in sentences of the active language."""
        return explain(self.as_record())

    def as_record(self) -> dict[str, Any]:
        """The answer as JSON can keep it, free of language, with what its version of the rules knew."""
        record: dict[str, Any] = {
            "rule_version": self.rule_version,
            "granted": self.granted,
            "contract": plain(self.contract_id),
            "contract_number": self.contract_number,
            "covered_until_on": plain(self.covered_until_on),
            "covered_until": plain(self.covered_until),
            "accepted_release": plain(self.accepted.release_id) if self.accepted else None,
            "accepted_at": plain(self.accepted.accepted_at) if self.accepted else None,
            "reasons": [reason.as_record() for reason in self.reasons],
        }
        if self.rule_version > 1:
            record["set_aside"] = [one.as_record() for one in self.set_aside]
            record["targets"] = plain(self.targets)
        return record


def explain(record: Mapping[str, Any]) -> list[str]:
    """What a frozen decision says in the active language: each reason, followed by what would change it."""
    if not record["granted"]:
        reasons = [Refusal.from_record(reason) for reason in record["reasons"]]
        return [text for reason in reasons for text in (reason.sentence, reason.remedy)]
    if record["covered_until_on"] is None:
        return [registered_sentence(record["contract_number"])]
    last_day = date.fromisoformat(record["covered_until_on"])
    passed = [SetAside.from_record(one).sentence for one in record.get("set_aside", ())]
    return [granted_sentence(record["contract_number"], last_day), *passed]


def decide(facts: Facts, request: Request, *, rule_version: int = RULE_VERSION) -> Decision:
    """Whether the service owes what is asked at `request.at` (C18, C25, C33-C43, C45, C63, C69-C73).

    Granted only within `[start, end)` of an approved contract for the software, and only if nothing speaks
    against it that no exception sets aside. Reasons come most useful first: what no contract would change, then
    the contract, then the release, then what the end user can settle alone.

    Raises: ValueError if the software is not among the facts."""
    found = RULES[rule_version](facts, request)
    granted = not found.reasons
    has_targets = rule_version > 1 and granted and request.purpose in _WITH_TARGETS
    return Decision(
        request=request,
        organisation_id=facts.organisation_id,
        granted=granted,
        contract_id=found.contract_id,
        contract_number=found.contract_number,
        covered_until_on=found.covered_until_on,
        covered_until=found.covered_until,
        accepted=found.accepted,
        reasons=found.reasons,
        set_aside=found.set_aside,
        targets=tuple(sorted(facts.targets, key=lambda row: row.priority)) if has_targets else (),
        rule_version=rule_version,
    )


def replay(facts: Mapping[str, Any], request: Mapping[str, Any], *, rule_version: int) -> Decision:
    """The decision again, from what its record froze, by the rules of its day.

    Raises: KeyError for a version that there never was."""
    return decide(Facts.from_record(facts), Request.from_record(request), rule_version=rule_version)
