"""What the service owes for a case that is about to be opened: the answer beside the form."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accounts.models import Organisation, Site, User
from cases.models import Case
from contracts.models import Release, ServiceContract, Software
from entitlements.actions import decide
from entitlements.calendars import hours_for
from entitlements.decision import Decision
from entitlements.facts import PREVIEW
from entitlements.kinds import Clock, Priority
from entitlements.models import Policy
from entitlements.targets import FIRST_RESPONSE, due_of


@dataclass(kw_only=True)
class Coverage:
    """The decision as a case would get it now, and what it means: by when somebody answers."""

    decision: Decision
    release: Release
    priority: str
    contract: ServiceContract | None = None
    respond_by: datetime | None = None
    respond_within: timedelta | None = None
    counts_always: bool = True
    fixes: list[Release] = field(default_factory=list)
    similar: list[Case] = field(default_factory=list)


def coverage_for(
    *,
    user: User,
    organisation: Organisation,
    site: Site,
    software: Software,
    release: Release,
    priority: str,
    now: datetime,
) -> Coverage:
    """The coverage answer for a case at `now` (UTC); without a priority, that of a P1 is told. Writes nothing."""
    decision = decide(
        organisation=organisation,
        software=software,
        release=release,
        site_country=site.country,
        purpose=PREVIEW,
        by=user,
        at=now,
    )
    coverage = Coverage(decision=decision, release=release, priority=priority or Priority.P1)
    if decision.granted:
        contracts = ServiceContract.objects.visible_to(user)
        coverage.contract = contracts.filter(number=decision.contract_number).first()
        _add_target(coverage, site, now)
    fixes = Release.objects.visible_to(user).published().filter(applies_to=release).select_related("fixes")
    coverage.fixes = list(fixes.order_by("-sort_key", "-pk")[:3])
    cases = Case.objects.visible_to(user).open().filter(organisation=organisation, software=software)
    coverage.similar = list(cases.for_list().order_by("-updated_at", "-pk")[:5])
    return coverage


def _add_target(coverage: Coverage, site: Site, now: datetime) -> None:
    target = Policy.objects.in_force_at(now).targets.get(priority=coverage.priority)
    coverage.respond_by = due_of(target, FIRST_RESPONSE, now, hours_for(site))
    coverage.respond_within = timedelta(minutes=target.first_response_minutes)
    coverage.counts_always = target.first_response_clock == Clock.ALWAYS
