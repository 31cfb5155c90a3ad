"""What a contract's page shows beside its dates: documents, what governs, requirements, written notices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F

from accounts.models import User
from accounts.roles import Permission
from contracts.kinds import GoverningKind
from contracts.models import (
    DocumentTask,
    GoverningDocument,
    NonFulfilment,
    Requirement,
    ServiceContract,
)
from contracts.prerequisites import Prerequisite, prerequisites_of


@dataclass(frozen=True, kw_only=True)
class Governing:
    """What the contract is under, in the order in which it counts (C6).

    Agreement and licence win over the service description. `is_agreement_named`: the contract itself names it;
    otherwise it is the one in force on the first covered day. The same of the licence, on the present day."""

    agreement: GoverningDocument | None
    is_agreement_named: bool
    licence: GoverningDocument | None
    is_licence_named: bool


@dataclass(frozen=True, kw_only=True)
class Obligations:
    """`may_...` say what this person is offered; the actions decide again."""

    governing: Governing
    prerequisites: Sequence[Prerequisite]
    may_read_documents: bool
    tasks: Sequence[DocumentTask]
    may_run_tasks: bool
    requirements: Sequence[Requirement]
    may_record: bool
    may_meet: bool
    notices: Sequence[NonFulfilment]
    may_read_notices: bool
    may_give_notice: bool

    @property
    def are_agreed(self) -> bool:
        return all(prerequisite.is_met for prerequisite in self.prerequisites)

    @property
    def unmet(self) -> int:
        """How many requirements are asked and not met."""
        return sum(1 for r in self.requirements if not r.met_at and not r.retired_at)


def for_contract(contract: ServiceContract, user: User, *, now: datetime) -> dict[str, Any]:
    """To be merged into the page's context, for contracts/_documents.html and contracts/_obligations.html.

    The caller has the contract from `visible_to(user)`. `now` (UTC) decides which licence is in force. At most
    nine queries."""
    is_staff = user.can(Permission.CONTRACT_VIEW_ALL)
    is_own = user.acting is not None and user.acting.organisation_id == contract.end_user_id
    tasks = DocumentTask.objects.visible_to(user).filter(contract=contract)
    requirements = Requirement.objects.visible_to(user).filter(contract=contract)
    notices = NonFulfilment.objects.visible_to(user).filter(contract=contract)
    found = Obligations(
        governing=governing_of(contract, now=now),
        prerequisites=prerequisites_of(contract.end_user, contract.software),
        may_read_documents=is_staff or is_own,
        tasks=list(tasks.order_by("kind", "pk")),
        may_run_tasks=is_staff and may_run_tasks(user),
        requirements=list(
            requirements.select_related("met_by__user").order_by(
                F("retired_at").asc(nulls_first=True), "-dated_on", "-pk"
            )
        ),
        may_record=is_staff and user.can(Permission.OBLIGATION_RECORD),
        may_meet=is_own and user.can(Permission.OBLIGATION_MEET),
        notices=list(notices.select_related("given_by__user", "read_by__user").order_by("-given_at", "-pk")),
        may_read_notices=is_staff or is_own,
        may_give_notice=is_own and user.can(Permission.OBLIGATION_NOTIFY),
    )
    return {"obligations": found}


def may_run_tasks(user: User) -> bool:
    """Who looks after document tasks: Professional Services and CSC administrators."""
    is_vendor = user.acting is not None and user.acting.organisation.is_vendor
    return is_vendor and (user.can(Permission.PREREQUISITE_AGREE) or user.can(Permission.CONTRACT_APPROVE))


def governing_of(contract: ServiceContract, *, now: datetime) -> Governing:
    """Agreement (C4) and licence (C5) of a contract: those it names, or those in force."""
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    documents = GoverningDocument.objects
    return Governing(
        agreement=contract.agreement or documents.in_force(GoverningKind.EUSA, contract.starts_on),
        is_agreement_named=contract.agreement_id is not None,
        licence=contract.licence or documents.in_force(GoverningKind.LICENCE, today),
        is_licence_named=contract.licence_id is not None,
    )
