"""The one exception to twelve months: a contract that ends together with another one (C10)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from contracts import errors
from contracts.actions.deciding import approver, reason_given, waiting
from contracts.actions.registration import check_target, save_registration
from contracts.models import ServiceContract


@transaction.atomic
def co_terminate(
    *, contract: ServiceContract, target: ServiceContract, reason: str, by: User, now: datetime
) -> ServiceContract:
    """Let a waiting contract end when `target` of the same end user ends, however short that makes it (C10).

    Only here a term may be shorter than twelve months, and the row names who approved it, with what, and why.
    Afterwards the contract still waits for approval.
    Raises: NotAllowed (also for one's own registration), WrongState, NotAligned, ReasonNeeded, PeriodOverlaps."""
    acting = approver(by)
    contract = waiting(contract, by)
    try:
        contract.co_termination_reason = reason_given(reason)
    except errors.ReasonNeeded as error:
        raise errors.AlignmentReasonNeeded(str(error)) from error
    check_approved_target(contract, target)
    contract.co_terminates_with = target
    contract.co_termination_approved_by = acting
    contract.ends_on = target.ends_on
    save_registration(contract, now)
    audit.record(
        "contract.co_terminated",
        by=by,
        subject=contract.number,
        now=now,
        target=target.number,
        ends_on=target.ends_on.isoformat(),
        reason=contract.co_termination_reason,
    )
    return contract


def check_approved_target(contract: ServiceContract, target: ServiceContract) -> None:
    """As for the registrar, though staff may align with a contract of another partner. Raises: NotAligned."""
    if target.pk == contract.pk:
        raise errors.NotAligned(_("A contract cannot be aligned with itself."))
    check_target(contract, target, is_staff=True)
