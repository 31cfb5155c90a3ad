"""Asking for a decision, and keeping the record of it."""

from dataclasses import replace
from datetime import datetime

from accounts.models import Organisation, User
from contracts.models import Release, Software
from entitlements import decision
from entitlements.decision import Decision
from entitlements.facts import DOWNLOAD, NOTICE, Facts, Request
from entitlements.gathering import facts_for, release_facts, with_software
from entitlements.models import DecisionRecord


def decide(
    *,
    organisation: Organisation,
    software: Software,
    release: Release | None,
    site_country: str,
    purpose: str,
    by: User | None,
    at: datetime,
) -> Decision:
    """Whether the service owes this to `organisation` at `at` (UTC). Writes nothing.

    `purpose`: a `kinds.Purpose`, or `facts.PREVIEW` for what a case would get, where the release may be open."""
    facts, request = _question(
        organisation=organisation,
        software=software,
        release=release,
        site_country=site_country,
        purpose=purpose,
        by=by,
        at=at,
    )
    return decision.decide(facts, request)


def decide_and_record(
    *,
    organisation: Organisation,
    software: Software,
    release: Release | None,
    site_country: str,
    purpose: str,
    by: User | None,
    now: datetime,
) -> tuple[Decision, DecisionRecord]:
    """The decision at `now`, and its record: facts, question and answer as they are, never changed again.

    The record is written in the caller's transaction; who refuses because of it keeps it out of what it undoes."""
    facts, request = _question(
        organisation=organisation,
        software=software,
        release=release,
        site_country=site_country,
        purpose=purpose,
        by=by,
        at=now,
    )
    answer = decision.decide(facts, request)
    record = record_of(answer, facts, by=by)
    record.save(force_insert=True)
    return answer, record


def _question(
    *,
    organisation: Organisation,
    software: Software,
    release: Release | None,
    site_country: str,
    purpose: str,
    by: User | None,
    at: datetime,
) -> tuple[Facts, Request]:
    facts = with_software(facts_for([organisation], at)[organisation.pk], software)
    applies_to: list[int] = []
    if release is not None and purpose in (DOWNLOAD, NOTICE):
        applies_to = list(release.applies_to.values_list("pk", flat=True))
    is_member = by is not None and by.acting is not None and by.acting.organisation_id == organisation.pk
    request = Request(
        purpose=str(purpose),
        software_id=software.pk,
        at=at,
        release=release_facts(release, applies_to) if release is not None else None,
        site_country=site_country,
        person_country=by.country if by is not None and is_member else "",
    )
    return _with_person(facts, by), request


def _with_person(facts: Facts, by: User | None) -> Facts:
    if by is None:
        return facts
    ended_at = by.acting.ended_at if by.acting else None
    is_active = by.is_active and by.acting is not None and ended_at is None
    return replace(facts, person_active=is_active, person_inactive_since=ended_at)


def record_of(answer: Decision, facts: Facts, *, by: User | None) -> DecisionRecord:
    """The record of a decision, not yet saved."""
    request = answer.request
    return DecisionRecord(
        organisation_id=int(facts.organisation_id),
        software_id=int(request.software_id),
        release_id=int(request.release.id) if request.release else None,
        contract_id=None if answer.contract_id is None else int(answer.contract_id),
        purpose=request.purpose,
        asked_by=by.acting if by else None,
        at=request.at,
        is_granted=answer.granted,
        rule_version=answer.rule_version,
        facts=facts.as_record(),
        request=request.as_record(),
        answer=answer.as_record(),
    )
