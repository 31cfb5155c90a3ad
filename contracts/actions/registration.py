"""Registering service contracts: by partners for their customers, by staff directly; as a draft or for approval."""

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts import audit
from accounts.export_control import check_countries
from accounts.models import Membership, Organisation, User
from accounts.roles import OrganisationKind, Permission
from contracts import errors
from contracts.actions.end_users import NewEndUser, request_end_user
from contracts.followups import CONTRACT_REGISTERED
from contracts.kinds import Channel, ContractState, SoftwareKind
from contracts.models import EndUserRequest, GoverningDocument, ServiceContract, Software
from contracts.prerequisites import order_differs
from contracts.terms import is_full_term, last_covered_day, minimum_end

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
    end_user: Organisation | NewEndUser,
    software: Software | None,
    starts_on: date,
    ends_on: date,
    purchase_order: str,
    po_end_user_name: str,
    po_end_user_address: str,
    by: User,
    now: datetime,
    renews: ServiceContract | None = None,
    sow_reference: str = "",
    is_internal_use: bool = True,
    agreement: GoverningDocument | None = None,
    licence: GoverningDocument | None = None,
    co_terminates_with: ServiceContract | None = None,
    co_termination_reason: str = "",
    draft: ServiceContract | None = None,
    as_draft: bool = False,
) -> ServiceContract:
    """Register a contract for `[starts_on, ends_on)`, days in the end user's zone; it waits for approval.

    A partner registers for its own customers, with its purchase order (C9); staff register direct ones. An order
    that names another end user or address is kept as written and shown to whoever approves. A partner may name a
    new end user, and the software by its statement of work. Agreement (C4) and licence (C5) are those in force
    unless others are given. `co_terminates_with` asks for a shorter term (C10): until staff approve that, the
    contract has its full one. `as_draft` keeps it for later; `draft` is the one that this replaces.

    Raises: NotAllowed, UnknownCustomer (C8, C9), EndUserRefused, SowUnknown, SoftwareNotSupported (C18),
    DeclarationMissing (C8), TermTooShort (C10), TermImpossible, NotAligned (C10), OrderIncomplete (C9),
    PeriodOverlaps, WrongState for a renewal or draft that does not fit, CountryExcluded (C63)."""
    acting = registrar(by)
    if isinstance(end_user, NewEndUser):
        end_user = request_end_user(new=end_user, by=by, now=now).organisation
    contract = _own_draft(draft, acting) if draft else ServiceContract()
    fields: dict[str, Any] = {
        "end_user": end_user,
        "software": software or software_of_sow(sow_reference, end_user),
        "starts_on": starts_on,
        "ends_on": ends_on,
        "purchase_order": purchase_order.strip(),
        "po_end_user_name": po_end_user_name.strip(),
        "po_end_user_address": po_end_user_address.strip(),
        "renews": renews,
        "is_internal_use": is_internal_use,
        "co_terminates_with": co_terminates_with,
        "co_termination_reason": co_termination_reason.strip()[:400],
        "state": ContractState.DRAFT if as_draft else ContractState.WAITING,
    }
    for name, value in fields.items():
        setattr(contract, name, value)
    _set_parties(contract, acting, now)
    contract.agreement = agreement or contract.agreement or agreement_in_force(now.date())
    contract.licence = (
        licence or contract.software.licence or contract.licence or licence_in_force(now.date())
    )
    check_registration(contract, day=now.date())
    save_registration(contract, now)
    _tell(contract, by, now)
    return contract


def _set_parties(contract: ServiceContract, acting: Membership, now: datetime) -> None:
    partner = acting.organisation if acting.organisation.is_partner else None
    contract.partner, contract.channel = partner, _channel(partner)
    contract.zone = contract.end_user.time_zone
    contract.registered_by, contract.registered_at = acting, now


def _tell(contract: ServiceContract, by: User, now: datetime) -> None:
    if contract.state == ContractState.DRAFT:
        audit.record("contract.drafted", by=by, subject=contract.number, now=now)
        return
    detail: dict[str, Any] = {
        "end_user": contract.end_user.name,
        "software": contract.software.name,
        "starts_on": contract.starts_on.isoformat(),
        "ends_on": contract.ends_on.isoformat(),
        "order_differs": order_differs(contract),
    }
    audit.record("contract.registered", by=by, subject=contract.number, now=now, **detail)
    CONTRACT_REGISTERED.call(contract=contract, by=by, now=now)


@transaction.atomic
def discard_draft(*, contract: ServiceContract, by: User, now: datetime) -> None:
    """Throw a draft away. Its number is not given again. Raises: NotAllowed, WrongState."""
    contract = _own_draft(contract, registrar(by))
    audit.record("contract.discarded", by=by, subject=contract.number, now=now)
    contract.delete()


def registrar(by: User) -> Membership:
    """The membership in which the person registers. Raises: NotAllowed."""
    if by.acting is None or not (by.can(Permission.CONTRACT_REGISTER) or by.can(Permission.CONTRACT_APPROVE)):
        raise errors.NotAllowed(_("You may not register contracts."))
    return by.acting


def _own_draft(draft: ServiceContract, acting: Membership) -> ServiceContract:
    partner_id = acting.organisation_id if acting.organisation.is_partner else None
    found = ServiceContract.objects.select_for_update(of=("self",)).filter(pk=draft.pk).first()
    if found is None or found.state != ContractState.DRAFT:
        raise errors.WrongState(_("This is no draft any more."))
    if found.partner_id != partner_id:
        raise errors.NotAllowed(_("This is not your organisation's draft."))
    return found


def agreement_in_force(day: date) -> GoverningDocument | None:
    """The support agreement that a new contract is under unless another is named (C4)."""
    documents = GoverningDocument.objects.agreements().in_force_on(day)
    return documents.filter(kind="eusa").newest() or documents.newest()


def licence_in_force(day: date) -> GoverningDocument | None:
    """The licence of software that names none of its own (C5)."""
    return GoverningDocument.objects.licences().in_force_on(day).newest()


def software_of_sow(reference: str, end_user: Organisation) -> Software:
    """The software made under a statement of work, for this end user or for nobody yet.

    One that does not exist and one of somebody else get the same answer. Raises: SowUnknown."""
    mine_or_free = Q(end_users=None) | Q(end_users=end_user)
    known = Software.objects.filter(mine_or_free, kind=SoftwareKind.SUPPORTED)
    found = list(known.filter(sow_reference__iexact=reference.strip()).distinct()[:2]) if reference else []
    if len(found) != 1:
        raise errors.SowUnknown(
            _(
                "No statement of work with this reference can be registered for this end user. Compare it with "
                "your order; if it is right, the customer support centre registers the contract."
            )
        )
    return found[0]


def check_registration(contract: ServiceContract, *, day: date) -> None:
    """Everything that can be said about a registration without writing it; a draft may lack order and declaration.

    `day` (UTC) is the one on which export control is looked up. Raises: as `register_contract`."""
    _check_customer(contract.end_user, contract.partner)
    _check_software(contract.software, contract.end_user)
    _check_term(contract.starts_on, contract.ends_on)
    _check_renewal(contract)
    if contract.co_terminates_with is not None:
        check_target(contract, contract.co_terminates_with)
    if contract.state != ContractState.DRAFT:
        _check_order(contract)
        if not contract.is_internal_use:
            raise errors.DeclarationMissing(_("The end user must use the software internally only (C8)."))
    check_countries([contract.end_user.country], day=day)


def _check_customer(end_user: Organisation, partner: Organisation | None) -> None:
    if partner and not end_user.registered_by.filter(pk=partner.pk).exists():
        raise errors.UnknownCustomer(_("Choose one of your own customers (C9)."))
    is_asked_for = (
        partner is not None
        and not end_user.is_qualified
        and EndUserRequest.objects.waiting().filter(organisation=end_user, partner=partner).exists()
    )
    if end_user.kind != OrganisationKind.END_USER or not (end_user.is_qualified or is_asked_for):
        raise errors.UnknownCustomer(_("Only a qualified end user can have a service contract (C8)."))


def _check_software(software: Software, end_user: Organisation) -> None:
    if software.kind != SoftwareKind.SUPPORTED:
        raise errors.SoftwareNotSupported(
            _("Only supported custom software can have a service contract (C18).")
        )
    if software.end_users.filter(pk=end_user.pk).exists():
        return
    if end_user.is_qualified or software.end_users.exists():
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
    if ends_on <= starts_on:
        raise errors.TermTooShort(
            _("The end is not after the start. A contract lasts at least 12 months (C10).")
        )
    if not is_full_term(starts_on, ends_on):
        raise errors.TermTooShort(
            _("A service contract lasts at least 12 months (C10): here until %(last)s or later.")
            % {"last": last_covered_day(minimum_end(starts_on)).isoformat()}
        )


def _check_order(contract: ServiceContract) -> None:
    order = (contract.purchase_order, contract.po_end_user_name, contract.po_end_user_address)
    if contract.partner and not all(order):
        raise errors.OrderIncomplete(
            _("Give the purchase order's number, and the end user's name and address as it states them (C9).")
        )


def _check_renewal(contract: ServiceContract) -> None:
    old = contract.renews
    if old is None:
        return
    if (old.end_user_id, old.software_id) != (contract.end_user_id, contract.software_id):
        raise errors.WrongState(_("A renewal is for the same end user and software."))
    if old.state != ContractState.APPROVED:
        raise errors.WrongState(_("Only an approved contract can be renewed."))
    if contract.starts_on < old.ends_on:
        raise errors.PeriodOverlaps(
            _("A renewal starts when the old contract has ended: on %(day)s or later.")
            % {"day": old.ends_on.isoformat()}
        )


def check_target(contract: ServiceContract, target: ServiceContract, *, is_staff: bool = False) -> None:
    """Whether a contract may end with another one (C10): a partner's with one of its own.

    Raises: NotAligned, AlignmentReasonNeeded."""
    is_foreign = not is_staff and contract.partner_id not in (None, target.partner_id)
    if is_foreign or target.end_user_id != contract.end_user_id or target.state != ContractState.APPROVED:
        raise errors.NotAligned(_("Choose an approved contract of the same end user (C10)."))
    if target.ends_on <= contract.starts_on:
        raise errors.NotAligned(_("The contract to align with ends before this one starts (C10)."))
    if not contract.co_termination_reason:
        raise errors.AlignmentReasonNeeded(_("Say why the contracts should end together (C10)."))


def _channel(partner: Organisation | None) -> Channel:
    if partner is None:
        return Channel.DIRECT
    return Channel.DISTRIBUTOR if partner.kind == OrganisationKind.DISTRIBUTOR else Channel.RESELLER


def save_registration(contract: ServiceContract, now: datetime) -> None:
    """Write it; what only the database knows for sure becomes words. Raises: PeriodOverlaps, WrongState."""
    contract.number = contract.number or next_number(now)
    try:
        with transaction.atomic():
            contract.save()
    except IntegrityError as error:
        name = errors.violated(error)
        if name == OVERLAP:
            raise errors.PeriodOverlaps(overlap_message(contract)) from error
        if name == RENEWED:
            raise errors.WrongState(_("The contract has been renewed already.")) from error
        raise


def overlapping(contract: ServiceContract) -> ServiceContract | None:
    """The first other contract, waiting or approved, that covers part of the same days."""
    others = ServiceContract.objects.filter(
        end_user=contract.end_user,
        software=contract.software,
        state__in=[ContractState.WAITING, ContractState.APPROVED],
        starts_on__lt=contract.ends_on,
        ends_on__gt=contract.starts_on,
    )
    return others.exclude(pk=contract.pk).order_by("starts_on", "pk").first()


def overlap_message(contract: ServiceContract) -> str:
    """Names the other contract only where it is the reader's own: registered by the same partner."""
    other = overlapping(contract)
    if other is None or (contract.partner_id and other.partner_id != contract.partner_id):
        return _("Another contract for this software and end user covers part of these dates.")
    return _("The contract %(number)s covers part of these dates: %(first)s to %(last)s.") % {
        "number": other.number,
        "first": other.starts_on.isoformat(),
        "last": last_covered_day(other.ends_on).isoformat(),
    }
