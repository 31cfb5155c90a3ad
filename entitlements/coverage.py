"""What an end user is covered for, software by software: the decision of this moment, and what stands behind it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.models import Organisation, User
from accounts.roles import Permission
from contracts.kinds import SoftwareKind
from contracts.models import Acceptance, Drift, InstallTask, Release, ServiceContract, Software
from entitlements.decision import Decision, decide
from entitlements.facts import PREVIEW, Facts, Request
from entitlements.gathering import facts_for, release_facts, with_software
from entitlements.models import CountryService, Policy, PolicyTarget

SOFTWARE_SHOWN = 50
HISTORY_WIDTH = 1000
"""A history is drawn on so many units; the page stretches them."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """An accepted release of a line, while it was the current one; places in units of the drawing."""

    acceptance: Acceptance
    start: int
    width: int
    is_current: bool


@dataclass(frozen=True, kw_only=True)
class LineHistory:
    """The accepted releases of a line, oldest first, from the first acceptance until now."""

    name: str
    steps: tuple[Step, ...]
    drifts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """One software. `contract` is the one in force, or else the last one; acceptances newest first by line."""

    software: Software
    decision: Decision
    contract: ServiceContract | None
    release: Release | None
    acceptances: tuple[Acceptance, ...]
    drifts: tuple[Drift, ...] = ()
    tasks: tuple[InstallTask, ...] = ()
    history: tuple["LineHistory", ...] = ()

    @property
    def may_be_excepted(self) -> bool:
        """Whether an exception could help: nothing else stands in the way."""
        return bool(self.decision.reasons) and all(r.may_be_set_aside for r in self.decision.reasons)

    @property
    def is_custom(self) -> bool:
        return self.software.kind == SoftwareKind.SUPPORTED


def coverage_of(organisation: Organisation, user: User, at: datetime) -> list[Coverage]:
    """What `user` may see of the organisation's coverage at `at` (UTC). Nine queries, however much there is.

    A partner sees the contracts that it registered, and what these cover: never those of other partners."""
    contracts = list(
        ServiceContract.objects.visible_to(user).filter(end_user=organisation).order_by("starts_on", "pk")
    )
    software = Software.objects.visible_to(user).filter(end_users=organisation).order_by("name", "pk")
    if _is_partner(user):
        software = software.filter(pk__in={contract.software_id for contract in contracts})
    acceptances = _acceptances(organisation, user)
    drifts = list(
        Drift.objects.visible_to(user)
        .filter(organisation=organisation)
        .select_related("line")
        .order_by("-since", "-pk")
    )
    tasks = list(
        InstallTask.objects.visible_to(user)
        .filter(organisation=organisation, state="open")
        .select_related("release")
        .order_by("due_on", "pk")
    )
    facts = _as_far_as_seen(facts_for([organisation], at)[organisation.pk], user, contracts)
    return [
        _coverage(
            one,
            facts,
            contracts=[row for row in contracts if row.software_id == one.pk],
            acceptances=[row for row in acceptances if row.software_id == one.pk],
            drifts=[row for row in drifts if row.software_id == one.pk],
            tasks=[row for row in tasks if row.software_id == one.pk],
            at=at,
        )
        for one in software[:SOFTWARE_SHOWN]
    ]


def _is_partner(user: User) -> bool:
    return user.acting is not None and user.acting.organisation.is_partner


def _as_far_as_seen(facts: Facts, user: User, contracts: Sequence[ServiceContract]) -> Facts:
    """The facts without the contracts that the reader may not see, and for a partner without what runs where."""
    if user.can(Permission.CONTRACT_VIEW_ALL):
        return facts
    seen = {contract.pk for contract in contracts}
    facts = replace(facts, contracts=tuple(row for row in facts.contracts if row.id in seen))
    return replace(facts, accepted=(), drifts=(), exceptions=()) if _is_partner(user) else facts


def _coverage(
    software: Software,
    facts: Facts,
    *,
    contracts: Sequence[ServiceContract],
    acceptances: Sequence[Acceptance],
    drifts: Sequence[Drift],
    tasks: Sequence[InstallTask],
    at: datetime,
) -> Coverage:
    release = next((row.release for row in acceptances if row.superseded_at is None), None)
    request = Request(
        purpose=PREVIEW,
        software_id=software.pk,
        at=at,
        release=release_facts(release) if release else None,
        site_country=facts.country,
    )
    answer = decide(with_software(facts, software), request)
    return Coverage(
        software=software,
        decision=answer,
        contract=_telling(contracts, answer),
        release=release,
        acceptances=tuple(acceptances),
        drifts=tuple(drifts),
        tasks=tuple(tasks),
        history=_history(acceptances, drifts, at),
    )


def _acceptances(organisation: Organisation, user: User) -> Sequence[Acceptance]:
    return list(
        Acceptance.objects.visible_to(user)
        .filter(organisation=organisation)
        .select_related("release__line", "line", "accepted_by__user")
        .order_by("-accepted_at", "-pk")
    )


def _history(
    acceptances: Sequence[Acceptance], drifts: Sequence[Drift], at: datetime
) -> tuple[LineHistory, ...]:
    """By line; all lines of a software on one scale, so that they can be compared."""
    oldest = min((row.accepted_at for row in acceptances), default=at)
    whole = max((at - oldest).total_seconds(), 1.0)

    def place(moment: datetime) -> int:
        share = (moment - oldest).total_seconds() / whole
        return round(HISTORY_WIDTH * min(max(share, 0.0), 1.0))

    def step(row: Acceptance) -> Step:
        start, stop = place(row.accepted_at), place(row.superseded_at or at)
        return Step(
            acceptance=row, start=start, width=max(stop - start, 4), is_current=row.superseded_at is None
        )

    lines = sorted({row.line for row in acceptances}, key=lambda line: line.name)
    return tuple(
        LineHistory(
            name=line.name,
            steps=tuple(step(row) for row in reversed(acceptances) if row.line_id == line.pk),
            drifts=tuple(
                (place(row.since), max(place(row.ended_at or at) - place(row.since), 4))
                for row in drifts
                if row.line_id == line.pk
            ),
        )
        for line in lines
    )


def what_if(
    *,
    organisation: Organisation,
    user: User,
    software: Software,
    release: Release | None,
    subject: str,
    component: str,
    at: datetime,
) -> Decision:
    """What a case about this would get at `at` (UTC), as far as `user` may see. Writes nothing."""
    contracts = ServiceContract.objects.visible_to(user).filter(end_user=organisation)
    facts = _as_far_as_seen(facts_for([organisation], at)[organisation.pk], user, list(contracts))
    components = release.components.values_list("name", flat=True) if release and component else ()
    request = Request(
        purpose=PREVIEW,
        software_id=software.pk,
        at=at,
        release=release_facts(release, components=components) if release else None,
        site_country=organisation.country,
        subject=subject,
        component=component,
    )
    return decide(with_software(facts, software), request)


def _telling(contracts: Iterable[ServiceContract], answer: Decision) -> ServiceContract | None:
    """The contract that the bar shows: in force, or else the one that starts last."""
    rows = list(contracts)
    in_force = [row for row in rows if row.pk == answer.contract_id]
    return next(reversed(in_force or rows), None)


def targets_at(at: datetime) -> list[tuple[PolicyTarget, timedelta]]:
    """By priority the target and its first response, on its own clock. Never guarantees (C15, C74)."""
    targets = Policy.objects.in_force_at(at).targets.order_by("priority")
    return [(target, timedelta(minutes=target.first_response_minutes)) for target in targets]


def services_missing(organisation: Organisation, at: datetime) -> list[CountryService]:
    """Services that are not offered in the country of the organisation, on the day there (C64)."""
    day = at.astimezone(ZoneInfo(organisation.time_zone)).date()
    rows = CountryService.objects.missing_in(organisation.country, day).order_by("service", "-country", "pk")
    return list({row.service: row for row in rows}.values())
