"""Registering, approving, refusing and terminating service contracts."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.export_control import check_countries
from accounts.models import Membership, Organisation, User
from accounts.roles import OrganisationKind, Permission
from contracts import errors
from contracts.followups import CONTRACT_APPROVED
from contracts.kinds import Channel, ContractState, DocumentKind, SoftwareKind
from contracts.models import ServiceContract, Software
from contracts.prerequisites import missing, order_differs
from contracts.terms import instants, is_full_term, last_covered_day

OVERLAP = "contracts_servicecontract_periods_never_overlap"
RENEWED = "contracts_servicecontract_renews_id_key"
# Beyond these a date is a slip of the finger, and some are beyond what PostgreSQL or a calendar can add to.
FIRST_YEAR, LAST_YEAR = 1990, 2200

NEXT_NUMBER = """
INSERT INTO contracts_contractcounter AS counter (year, last) VALUES (%s, 1)
    ON CONFLICT (year) DO UPDATE SET last = counter.last + 1
RETURNING last
"""


def next_number(now: datetime) -> str:
    """`CS-YYYY-NNNN`, the year in UTC; grows to five digits rather than run out. Belongs into a transaction.

    The counter's row is locked until it ends, so that two registrations never get the same number."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_NUMBER, [now.year])
        (last,) = cursor.fetchone()
    return f"CS-{now.year}-{last:04}"


@transaction.atomic
def register_contract(
    *,
    end_user: Organisation,
    software: Software,
    starts_on: date,
    ends_on: date,
    purchase_order: str,
    po_end_user_name: str,
    po_end_user_address: str,
    by: User,
    now: datetime,
    renews: ServiceContract | None = None,
) -> ServiceContract:
    """Register a contract for `[starts_on, ends_on)`, days in the end user's zone; it waits for approval.

    A partner registers for its own customers, with its purchase order (C9); staff register direct ones. An order
    that names another end user or address is kept as written and shown to whoever approves.

    Raises: NotAllowed, UnknownCustomer (C8, C9), SoftwareNotSupported (C18), TermTooShort (C10), TermImpossible,
    OrderIncomplete (C9), PeriodOverlaps, WrongState for a renewal that does not fit, CountryExcluded (C63)."""
    acting = _registrar(by)
    partner = acting.organisation if acting.organisation.is_partner else None
    _check_customer(end_user, partner)
    _check_software(software, end_user)
    _check_term(starts_on, ends_on)
    contract = ServiceContract(
        end_user=end_user,
        software=software,
        channel=_channel(partner),
        partner=partner,
        purchase_order=purchase_order.strip(),
        po_end_user_name=po_end_user_name.strip(),
        po_end_user_address=po_end_user_address.strip(),
        starts_on=starts_on,
        ends_on=ends_on,
        zone=end_user.time_zone,
        state=ContractState.WAITING,
        renews=renews,
        registered_by=acting,
        registered_at=now,
    )
    _check_order(contract)
    _check_renewal(contract)
    check_countries([end_user.country], day=now.date())
    _save_new(contract, now)
    detail: dict[str, Any] = {
        "end_user": end_user.name,
        "software": software.name,
        "starts_on": starts_on.isoformat(),
        "ends_on": ends_on.isoformat(),
        "order_differs": order_differs(contract),
    }
    audit.record("contract.registered", by=by, subject=contract.number, now=now, **detail)
    return contract


def _registrar(by: User) -> Membership:
    if by.acting is None or not (by.can(Permission.CONTRACT_REGISTER) or by.can(Permission.CONTRACT_APPROVE)):
        raise errors.NotAllowed(_("You may not register contracts."))
    return by.acting


def _check_customer(end_user: Organisation, partner: Organisation | None) -> None:
    if partner and not end_user.registered_by.filter(pk=partner.pk).exists():
        raise errors.UnknownCustomer(_("Choose one of your own customers (C9)."))
    if end_user.kind != OrganisationKind.END_USER or not end_user.is_qualified:
        raise errors.UnknownCustomer(_("Only a qualified end user can have a service contract (C8)."))


def _check_software(software: Software, end_user: Organisation) -> None:
    if software.kind != SoftwareKind.SUPPORTED:
        raise errors.SoftwareNotSupported(
            _("Only supported custom software can have a service contract (C18).")
        )
    if not software.end_users.filter(pk=end_user.pk).exists():
        raise errors.SoftwareNotSupported(
            _("%(software)s was not made for %(end_user)s (C2).")
            % {"software": software.name, "end_user": end_user.name}
        )


def _check_term(starts_on: date, ends_on: date) -> None:
    if not FIRST_YEAR <= starts_on.year <= LAST_YEAR or not FIRST_YEAR <= ends_on.year <= LAST_YEAR + 100:
        raise errors.TermImpossible(
            _("Give a start between %(first)s and %(last)s.")
            % {"first": str(FIRST_YEAR), "last": str(LAST_YEAR)}
        )
    if not is_full_term(starts_on, ends_on):
        raise errors.TermTooShort(_("A service contract lasts at least 12 months (C10)."))


def _check_order(contract: ServiceContract) -> None:
    order = (contract.purchase_order, contract.po_end_user_name, contract.po_end_user_address)
    if contract.partner and not all(order):
        raise errors.OrderIncomplete(
            _("Give the purchase order's number, and the end user's name and address as it states them (C9).")
        )


def _check_renewal(contract: ServiceContract) -> None:
    old = contract.renews
    if old and (old.end_user_id, old.software_id) != (contract.end_user_id, contract.software_id):
        raise errors.WrongState(_("A renewal is for the same end user and software."))


def _channel(partner: Organisation | None) -> Channel:
    if partner is None:
        return Channel.DIRECT
    return Channel.DISTRIBUTOR if partner.kind == OrganisationKind.DISTRIBUTOR else Channel.RESELLER


def _save_new(contract: ServiceContract, now: datetime) -> None:
    contract.number = next_number(now)
    try:
        with transaction.atomic():
            contract.save(force_insert=True)
    except IntegrityError as error:
        name = errors.violated(error)
        if name == OVERLAP:
            raise errors.PeriodOverlaps(_overlap_message(contract)) from error
        if name == RENEWED:
            raise errors.WrongState(_("The contract has been renewed already.")) from error
        raise


def _overlap_message(contract: ServiceContract) -> str:
    """Names the other contract only where it is the reader's own: registered by the same partner."""
    other = (
        ServiceContract.objects.filter(
            end_user=contract.end_user,
            software=contract.software,
            state__in=[ContractState.WAITING, ContractState.APPROVED],
            starts_on__lt=contract.ends_on,
            ends_on__gt=contract.starts_on,
        )
        .order_by("starts_on", "pk")
        .first()
    )
    if other is None or (contract.partner_id and other.partner_id != contract.partner_id):
        return _("Another contract for this software and end user covers part of these dates.")
    return _("The contract %(number)s covers part of these dates: %(first)s to %(last)s.") % {
        "number": other.number,
        "first": other.starts_on.isoformat(),
        "last": last_covered_day(other.ends_on).isoformat(),
    }


@transaction.atomic
def approve_contract(
    *, contract: ServiceContract, by: User, now: datetime, order_checked: bool = False
) -> ServiceContract:
    """Approve a waiting contract; it covers from its start in the end user's zone, fixed in UTC here (C12, C25).

    `order_checked`: the approver has seen that the purchase order names another end user or address, and found it
    right (C9).

    Raises: NotAllowed (also for one's own registration), WrongState, OrderDiffers, PrerequisitesMissing (C12-C14),
    CountryExcluded (C63)."""
    acting = _approver(by)
    contract = _waiting(contract)
    if contract.registered_by.user_id == by.pk:
        raise errors.NotAllowed(_("Nobody approves what they registered."))
    difference = order_differs(contract)
    if difference and not order_checked:
        raise errors.OrderDiffers(
            _(
                "The purchase order does not name this end user and address. Say that you have checked it (C9)."
            )
        )
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
    CONTRACT_APPROVED.call(contract=contract, by=by, now=now)
    return contract


def _approver(by: User) -> Membership:
    if by.acting is None or not by.can(Permission.CONTRACT_APPROVE):
        raise errors.NotAllowed(_("You may not approve or refuse contracts."))
    return by.acting


def _waiting(contract: ServiceContract) -> ServiceContract:
    contract = ServiceContract.objects.locked(contract.pk)
    if contract.state != ContractState.WAITING:
        raise errors.WrongState(
            _("The contract is not waiting for approval: %(state)s.")
            % {"state": contract.get_state_display()}
        )
    return contract


def _check_prerequisites(contract: ServiceContract) -> None:
    lacking = missing(contract.end_user, contract.software)
    if not lacking:
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
    """Refuse a waiting contract, for a reason that the registrar reads.

    Raises: NotAllowed (also for one's own registration), WrongState, ReasonNeeded."""
    acting = _approver(by)
    reason = _reason(reason)
    contract = _waiting(contract)
    if contract.registered_by.user_id == by.pk:
        raise errors.NotAllowed(_("Nobody decides on what they registered."))
    contract.state = ContractState.REFUSED
    contract.refusal_reason = reason
    contract.decided_by, contract.decided_at = acting, now
    contract.save(update_fields=["state", "refusal_reason", "decided_by", "decided_at"])
    audit.record("contract.refused", by=by, subject=contract.number, now=now, reason=reason)
    return contract


def _reason(text: str) -> str:
    text = text.strip()
    if not text:
        raise errors.ReasonNeeded(_("Give a reason."))
    return text[:400]


@transaction.atomic
def terminate_contract(*, contract: ServiceContract, reason: str, by: User, now: datetime) -> ServiceContract:
    """End an approved contract before its time; from `now` on it covers nothing.

    Raises: NotAllowed, WrongState, ReasonNeeded."""
    _approver(by)
    reason = _reason(reason)
    contract = ServiceContract.objects.locked(contract.pk)
    if contract.state != ContractState.APPROVED:
        raise errors.WrongState(_("Only an approved contract can be terminated."))
    contract.state = ContractState.TERMINATED
    contract.terminated_at, contract.termination_reason = now, reason
    contract.save(update_fields=["state", "terminated_at", "termination_reason"])
    audit.record("contract.terminated", by=by, subject=contract.number, now=now, reason=reason)
    return contract
