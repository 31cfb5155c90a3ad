"""Deciding about service contracts: approving, refusing and terminating them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.export_control import check_countries
from accounts.models import User
from contracts import errors
from contracts.actions.cotermination import co_terminate
from contracts.actions.deciding import approver, reason_given, waiting
from contracts.actions.documents import check_no_document_task, drop_document_tasks
from contracts.followups import CONTRACT_APPROVED
from contracts.kinds import ContractState, DocumentKind
from contracts.models import ServiceContract
from contracts.notices import tell_about_decision
from contracts.prerequisites import missing, order_differs
from contracts.terms import instants


@transaction.atomic
def approve_contract(
    *,
    contract: ServiceContract,
    by: User,
    now: datetime,
    order_checked: bool = False,
    co_terminates_with: ServiceContract | None = None,
    co_termination_reason: str = "",
) -> ServiceContract:
    """Approve a waiting contract; it covers from its start in the end user's zone, fixed in UTC here (C12, C25).

    `order_checked`: the approver has seen that the purchase order names another end user or address, and found it
    right (C9). `co_terminates_with` approves at the same time that it ends with that contract (C10).

    Raises: NotAllowed (also for one's own registration), WrongState, OrderDiffers, PrerequisitesMissing (C12-C14),
    UnknownCustomer for an end user that nobody has taken on (C8), SoftwareNotSupported (C2), DeclarationMissing
    (C8), CountryExcluded (C63), and what `co_terminate` raises."""
    acting = approver(by)
    contract = waiting(contract, by)
    if co_terminates_with is not None:
        contract = co_terminate(
            contract=contract, target=co_terminates_with, reason=co_termination_reason, by=by, now=now
        )
    difference = order_differs(contract)
    if difference and not order_checked:
        raise errors.OrderDiffers(
            _(
                "The purchase order does not name this end user and address. Say that you have checked it (C9)."
            )
        )
    _check_parties(contract)
    _check_prerequisites(contract)
    check_countries([contract.end_user.country], day=now.date())
    contract.starts_at, contract.ends_at = instants(
        contract.starts_on, contract.ends_on, ZoneInfo(contract.zone)
    )
    contract.has_agreed_documents = True
    contract.state = ContractState.APPROVED
    contract.decided_by, contract.decided_at = acting, now
    contract.save(
        update_fields=["starts_at", "ends_at", "has_agreed_documents", "state", "decided_by", "decided_at"]
    )
    audit.record("contract.approved", by=by, subject=contract.number, now=now, order_differs=difference)
    tell_about_decision(contract, now)
    CONTRACT_APPROVED.call(contract=contract, by=by, now=now)
    return contract


def _check_parties(contract: ServiceContract) -> None:
    """What a registration may leave open and an approval may not."""
    if not contract.end_user.is_qualified:
        raise errors.UnknownCustomer(
            _("The end user is new: take it on first, or say of whom it is a duplicate (C8).")
        )
    if not contract.software.end_users.filter(pk=contract.end_user_id).exists():
        raise errors.SoftwareNotSupported(
            _("%(software)s was not made for %(end_user)s (C2).")
            % {"software": contract.software.name, "end_user": contract.end_user.name}
        )
    if not contract.is_internal_use:
        raise errors.DeclarationMissing(_("The end user must use the software internally only (C8)."))


def _check_prerequisites(contract: ServiceContract) -> None:
    lacking = missing(contract.end_user, contract.software)
    if not lacking:
        check_no_document_task(contract)
        return
    texts: dict[tuple[DocumentKind, ...], str] = {
        (DocumentKind.DESIGN,): _(
            "The design document is missing, out of date or not agreed by both sides (C12-C14)."
        ),
        (DocumentKind.TEST_PLAN,): _(
            "The test plan is missing, out of date or not agreed by both sides (C12-C14)."
        ),
    }
    both = _("Design document and test plan are missing, out of date or not agreed by both sides (C12-C14).")
    raise errors.PrerequisitesMissing(texts.get(tuple(lacking), both), lacking)


@transaction.atomic
def refuse_contract(*, contract: ServiceContract, reason: str, by: User, now: datetime) -> ServiceContract:
    """Refuse a waiting contract, for a reason that the registrar reads; what it would have renewed is free again.

    Raises: NotAllowed (also for one's own registration), WrongState, ReasonNeeded."""
    acting = approver(by)
    reason = reason_given(reason)
    contract = waiting(contract, by)
    renews = contract.renews.number if contract.renews else ""
    contract.renews = None
    contract.state = ContractState.REFUSED
    contract.refusal_reason = reason
    contract.decided_by, contract.decided_at = acting, now
    contract.save(update_fields=["renews", "state", "refusal_reason", "decided_by", "decided_at"])
    audit.record("contract.refused", by=by, subject=contract.number, now=now, reason=reason, renews=renews)
    drop_document_tasks(contract=contract, by=by, now=now)
    tell_about_decision(contract, now)
    return contract


@transaction.atomic
def terminate_contract(*, contract: ServiceContract, reason: str, by: User, now: datetime) -> ServiceContract:
    """End an approved contract before its time; from `now` on it covers nothing.

    Raises: NotAllowed, WrongState, ReasonNeeded."""
    acting = approver(by)
    reason = reason_given(reason)
    contract = ServiceContract.objects.locked(contract.pk)
    if contract.state != ContractState.APPROVED:
        raise errors.WrongState(_("Only an approved contract can be terminated."))
    if contract.ends_at is not None and contract.ends_at <= now:
        raise errors.WrongState(_("The contract has ended already."))
    contract.state = ContractState.TERMINATED
    contract.terminated_at, contract.terminated_by, contract.termination_reason = now, acting, reason
    contract.save(update_fields=["state", "terminated_at", "terminated_by", "termination_reason"])
    audit.record("contract.terminated", by=by, subject=contract.number, now=now, reason=reason)
    tell_about_decision(contract, now)
    return contract
