"""Asking for a decision, keeping the record of it, and taking it again from its record."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from accounts.export_control import CountryExcluded
from accounts.models import Organisation, Site, User
from contracts.models import Release, ServiceContract, Software
from entitlements import decision
from entitlements.decision import Decision
from entitlements.facts import BREAK_FIX, DOWNLOAD, NOTICE, REGISTRATION, Facts, Request
from entitlements.gathering import facts_for, release_facts, with_software
from entitlements.models import DecisionRecord
from entitlements.reasons import Code


def decide(
    *,
    organisation: Organisation,
    software: Software,
    release: Release | None,
    site_country: str,
    purpose: str,
    by: User | None,
    at: datetime,
    subject: str = BREAK_FIX,
    component: str = "",
) -> Decision:
    """Whether the service owes this to `organisation` at `at` (UTC). Writes nothing.

    `purpose`: a `kinds.Purpose`, or `facts.PREVIEW` for what a case would get, where the release may be open.
    `subject`: a `kinds.Subject`. `component`: the part of the release that it is about, by name (C70)."""
    facts, request = _question(
        organisation=organisation,
        software=software,
        release=release,
        site_country=site_country,
        purpose=purpose,
        by=by,
        at=at,
        subject=subject,
        component=component,
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
    subject: str = BREAK_FIX,
    component: str = "",
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
        subject=subject,
        component=component,
    )
    answer = decision.decide(facts, request)
    return answer, keep(answer, facts, by=by)


def keep(answer: Decision, facts: Facts, *, by: User | None) -> DecisionRecord:
    """The record of a decision, written."""
    record = record_of(answer, facts, by=by)
    record.save(force_insert=True)
    return record


def replay(record: DecisionRecord) -> Decision:
    """The decision again, from the frozen facts and question, by the rules of its day."""
    return decision.replay(record.facts, record.request, rule_version=record.rule_version)


@transaction.atomic
def record_registration(*, contract: ServiceContract, by: User, now: datetime) -> None:
    """Keep the decision that this contract may be registered: end user, its sites, who registers, the software.

    Follow-up of CONTRACT_REGISTERED. Raises: CountryExcluded (C63), which undoes the registration."""
    end_user = contract.end_user
    facts = facts_for([end_user], now)[end_user.pk]
    facts = with_person(with_software(facts, contract.software), by)
    request = Request(
        purpose=REGISTRATION,
        software_id=contract.software_id,
        at=now,
        site_country=site_country_of(end_user, facts),
        person_country=by.country if not by.is_vendor_staff else "",
        contract_id=contract.pk,
    )
    answer = decision.decide(facts, request)
    if any(reason.code == Code.EXPORT_CONTROL for reason in answer.reasons):
        raise CountryExcluded(" ".join(answer.explain()))
    keep(answer, facts, by=by)


def site_country_of(organisation: Organisation, facts: Facts) -> str:
    """Of an organisation's sites, the country that stands under export control, or else its own country.

    For what goes to the organisation as a whole: a contract or a file may end up at any of its sites (C63)."""
    controlled = {row.country for row in facts.export_control}
    sites = Site.objects.filter(organisation=organisation, country__in=controlled).order_by("country", "pk")
    found = sites.values_list("country", flat=True).first()
    return found or organisation.country


def _question(
    *,
    organisation: Organisation,
    software: Software,
    release: Release | None,
    site_country: str,
    purpose: str,
    by: User | None,
    at: datetime,
    subject: str = BREAK_FIX,
    component: str = "",
) -> tuple[Facts, Request]:
    facts = with_software(facts_for([organisation], at)[organisation.pk], software)
    applies_to: list[int] = []
    if release is not None and purpose in (DOWNLOAD, NOTICE):
        applies_to = list(release.applies_to.values_list("pk", flat=True))
    components: list[str] = []
    if release is not None and component:
        components = list(release.components.order_by("name").values_list("name", flat=True).distinct())
    is_member = by is not None and by.acting is not None and by.acting.organisation_id == organisation.pk
    request = Request(
        purpose=str(purpose),
        software_id=software.pk,
        at=at,
        release=release_facts(release, applies_to, components) if release is not None else None,
        site_country=site_country,
        person_country=by.country if by is not None and is_member else "",
        subject=subject,
        component=component,
    )
    return with_person(facts, by), request


def with_person(facts: Facts, by: User | None) -> Facts:
    """The facts, with whether who asks is still somebody."""
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
