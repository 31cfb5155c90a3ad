"""What an end user is covered for, software by software: the decision of this moment, and what stands behind it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from accounts.models import Organisation, User
from accounts.roles import Permission
from contracts.kinds import SoftwareKind
from contracts.models import Acceptance, Release, ServiceContract, Software
from entitlements.decision import Decision, decide
from entitlements.facts import PREVIEW, Facts, Request
from entitlements.gathering import facts_for, release_facts, with_software
from entitlements.models import Policy, PolicyTarget

SOFTWARE_SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """One software. `contract` is the one in force, or else the last one; acceptances newest first by line."""

    software: Software
    decision: Decision
    contract: ServiceContract | None
    release: Release | None
    acceptances: tuple[Acceptance, ...]

    @property
    def is_custom(self) -> bool:
        return self.software.kind == SoftwareKind.SUPPORTED


def coverage_of(organisation: Organisation, user: User, at: datetime) -> list[Coverage]:
    """What `user` may see of the organisation's coverage at `at` (UTC). Seven queries, however much there is.

    A partner sees the contracts that it registered, and what these cover: never those of other partners."""
    is_partner = user.acting is not None and user.acting.organisation.is_partner
    contracts = list(
        ServiceContract.objects.visible_to(user).filter(end_user=organisation).order_by("starts_on", "pk")
    )
    software = Software.objects.visible_to(user).filter(end_users=organisation).order_by("name", "pk")
    if is_partner:
        software = software.filter(pk__in={contract.software_id for contract in contracts})
    acceptances = _acceptances(organisation, user)
    facts = facts_for([organisation], at)[organisation.pk]
    if not user.can(Permission.CONTRACT_VIEW_ALL):
        seen = {contract.pk for contract in contracts}
        facts = replace(facts, contracts=tuple(row for row in facts.contracts if row.id in seen))
    return [
        _coverage(
            one,
            facts,
            [row for row in contracts if row.software_id == one.pk],
            [row for row in acceptances if row.software_id == one.pk],
            at,
        )
        for one in software[:SOFTWARE_SHOWN]
    ]


def _coverage(
    software: Software,
    facts: Facts,
    contracts: Sequence[ServiceContract],
    acceptances: Sequence[Acceptance],
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
    )


def _acceptances(organisation: Organisation, user: User) -> Sequence[Acceptance]:
    return list(
        Acceptance.objects.visible_to(user)
        .filter(organisation=organisation)
        .select_related("release", "line", "accepted_by__user")
        .order_by("-accepted_at", "-pk")
    )


def _telling(contracts: Iterable[ServiceContract], answer: Decision) -> ServiceContract | None:
    """The contract that the bar shows: in force, or else the one that starts last."""
    rows = list(contracts)
    in_force = [row for row in rows if row.pk == answer.contract_id]
    return next(reversed(in_force or rows), None)


def targets_at(at: datetime) -> list[tuple[PolicyTarget, timedelta]]:
    """By priority the target and its first response, on its own clock. Never guarantees (C15, C74)."""
    targets = Policy.objects.in_force_at(at).targets.order_by("priority")
    return [(target, timedelta(minutes=target.first_response_minutes)) for target in targets]
