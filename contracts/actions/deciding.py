"""What every decision about a contract begins with: who decides, on what, and why."""

from django.utils.translation import gettext as _

from accounts.models import Membership, User
from accounts.roles import Permission
from contracts import errors
from contracts.kinds import ContractState
from contracts.models import ServiceContract


def approver(by: User) -> Membership:
    """The membership in which the person decides. Raises: NotAllowed."""
    if by.acting is None or not by.can(Permission.CONTRACT_APPROVE):
        raise errors.NotAllowed(_("You may not approve or refuse contracts."))
    return by.acting


def waiting(contract: ServiceContract, by: User) -> ServiceContract:
    """The contract, locked, if it waits and somebody else registered it. Raises: WrongState, NotAllowed."""
    contract = ServiceContract.objects.locked(contract.pk)
    if contract.state != ContractState.WAITING:
        raise errors.WrongState(
            _("The contract is not waiting for approval: %(state)s.")
            % {"state": contract.get_state_display()}
        )
    if contract.registered_by.user_id == by.pk:
        raise errors.NotAllowed(_("Nobody decides on what they registered."))
    return contract


def reason_given(text: str) -> str:
    """Raises: ReasonNeeded."""
    text = text.strip()
    if not text:
        raise errors.ReasonNeeded(_("Give a reason."))
    return text[:400]
