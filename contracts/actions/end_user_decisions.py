"""What staff decide about a new end user, and what its first contact confirms (C8, C9)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit, mail
from accounts.actions import AlreadyMember, invite
from accounts.export_control import CountryExcluded
from accounts.models import Membership, Organisation, User
from accounts.roles import OrganisationKind, Role
from contracts import errors
from contracts.actions.contract import refuse_contract
from contracts.actions.deciding import approver, reason_given
from contracts.actions.documents import drop_document_tasks
from contracts.actions.registration import check_registration, save_registration
from contracts.followups import CONTRACT_REGISTERED
from contracts.kinds import ContractState, RequestState
from contracts.models import EndUserRequest, ServiceContract
from contracts.models.contract import ServiceContractQuerySet
from contracts.notices import ask_to_confirm, tell_about_end_user

FIRST_ROLES = [Role.CONTACT.value, Role.TECHNICAL_CONTACT.value]


def _open_request(request: EndUserRequest, by: User) -> tuple[EndUserRequest, Membership]:
    acting = approver(by)
    request = EndUserRequest.objects.locked(request.pk)
    if request.state != RequestState.WAITING:
        raise errors.WrongState(_("Somebody has decided about this end user already."))
    if request.requested_by.user_id == by.pk:
        raise errors.NotAllowed(_("Nobody decides on what they registered."))
    return request, acting


def _decide(
    request: EndUserRequest, state: RequestState, acting: Membership, now: datetime, reason: str = ""
) -> None:
    request.state, request.decided_by, request.decided_at, request.reason = state, acting, now, reason
    request.save(update_fields=["state", "decided_by", "decided_at", "reason", "duplicate_of"])
    tell_about_end_user(request, now)


@transaction.atomic
def take_on_end_user(
    *, request: EndUserRequest, by: User, now: datetime, software_is_theirs: bool = False
) -> EndUserRequest:
    """The end user is none that the portal knows, and qualified: its contact is invited by mail (C8).

    `software_is_theirs`: what its contracts name was made for it under the statement of work (C2).
    Raises: NotAllowed, WrongState, EndUserRefused when the address is taken, CountryExcluded (C63)."""
    request, acting = _open_request(request, by)
    organisation = request.organisation
    organisation.is_qualified = True
    organisation.save(update_fields=["is_qualified"])
    if software_is_theirs:
        for contract in _pending(organisation).select_related("software"):
            if not contract.software.end_users.exists():
                contract.software.end_users.add(organisation)
    try:
        invitation, secret = invite(
            organisation=organisation,
            email=request.contact_email,
            name=request.contact_name,
            roles=FIRST_ROLES,
            by=by,
            now=now,
        )
    except AlreadyMember as refusal:
        raise errors.EndUserRefused(str(refusal), "") from refusal
    _decide(request, RequestState.TAKEN_ON, acting, now)
    audit.record("end_user.taken_on", by=by, subject=organisation.name, now=now)
    mail.send_invitation(invitation=invitation, secret=secret)
    return request


def _pending(organisation: Organisation) -> ServiceContractQuerySet:
    states = [ContractState.WAITING, ContractState.DRAFT]
    return ServiceContract.objects.filter(end_user=organisation, state__in=states).order_by("pk")


@transaction.atomic
def merge_end_user(
    *, request: EndUserRequest, into: Organisation, by: User, now: datetime
) -> list[ServiceContract]:
    """The new end user is one that the portal knows: its contracts move there, each checked again.

    One that does not fit there (overlap, software made for others) is refused with that reason. The empty
    organisation stays as a name that nobody can use. Gives back what was refused.
    Raises: NotAllowed, WrongState, UnknownCustomer if `into` is no qualified end user."""
    request, acting = _open_request(request, by)
    if into.pk == request.organisation_id or into.kind != OrganisationKind.END_USER or not into.is_qualified:
        raise errors.UnknownCustomer(_("Choose the qualified end user that it is."))
    into.registered_by.add(request.partner)
    refused = [contract for contract in _pending(request.organisation) if not _moved(contract, into, by, now)]
    _refuse_all(refused, by, now)
    request.organisation.registered_by.clear()
    request.duplicate_of = into
    _decide(request, RequestState.DUPLICATE, acting, now)
    audit.record("end_user.merged", by=by, subject=request.organisation.name, now=now, into=into.name)
    return refused


def _moved(contract: ServiceContract, into: Organisation, by: User, now: datetime) -> bool:
    """Whether it fits there; then it counts as registered there, with everything that hangs on that."""
    was = contract.end_user, contract.zone
    contract.end_user, contract.zone = into, into.time_zone
    try:
        with transaction.atomic():
            check_registration(contract, day=now.date())
            save_registration(contract, now)
            if contract.state == ContractState.WAITING:
                drop_document_tasks(contract=contract, by=by, now=now)
                CONTRACT_REGISTERED.call(contract=contract, by=by, now=now)
    except (errors.ContractError, CountryExcluded) as refusal:
        contract.end_user, contract.zone = was
        contract.refusal_reason = str(refusal)[:400]
        return False
    return True


def _refuse_all(contracts: list[ServiceContract], by: User, now: datetime) -> None:
    for contract in contracts:
        if contract.state == ContractState.DRAFT:
            contract.delete()
        else:
            refuse_contract(contract=contract, reason=contract.refusal_reason, by=by, now=now)


@transaction.atomic
def refuse_end_user(*, request: EndUserRequest, reason: str, by: User, now: datetime) -> EndUserRequest:
    """No service for this end user; what waits for it is refused for the same reason.

    Raises: NotAllowed, WrongState, ReasonNeeded."""
    request, acting = _open_request(request, by)
    reason = reason_given(reason)
    pending = list(_pending(request.organisation))
    for contract in pending:
        contract.refusal_reason = reason
    _refuse_all(pending, by, now)
    request.organisation.registered_by.clear()
    _decide(request, RequestState.REFUSED, acting, now, reason)
    audit.record("end_user.refused", by=by, subject=request.organisation.name, now=now, reason=reason)
    return request


@transaction.atomic
def confirm_end_user(*, name: str, address: str, by: User, now: datetime) -> EndUserRequest:
    """The first contact says that name and address are right, or rights them, and looks after accounts from now on.

    Raises: NotAllowed where there is nothing for this person to confirm; EndUserRefused for an empty name."""
    waiting = EndUserRequest.objects.to_be_confirmed_by(by).select_for_update(of=("self",))
    request = waiting.select_related("organisation").first()
    if by.acting is None or request is None:
        raise errors.NotAllowed(_("There is nothing to confirm."))
    if not name.strip() or not address.strip():
        raise errors.EndUserRefused(_("Give name and address."), "name" if not name.strip() else "address")
    organisation, membership = request.organisation, by.acting
    before = [organisation.name, organisation.address]
    organisation.name, organisation.address = name.strip(), address.strip()
    organisation.save(update_fields=["name", "address"])
    membership.roles = sorted({*membership.roles, Role.ACCOUNT_MANAGER.value})
    membership.save(update_fields=["roles"])
    request.confirmed_at, request.confirmed_by = now, membership
    request.save(update_fields=["confirmed_at", "confirmed_by"])
    audit.record(
        "end_user.confirmed",
        by=by,
        subject=organisation.name,
        now=now,
        before=before,
        after=[organisation.name, organisation.address],
    )
    return request


def on_invitation_accepted(*, membership: Membership, by: User, now: datetime) -> None:
    """Follow-up: the contact of a new end user is asked to confirm it."""
    for request in EndUserRequest.objects.to_be_confirmed_by(by).select_related("organisation"):
        ask_to_confirm(request, membership, now)
