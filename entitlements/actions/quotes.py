"""Quotes: what the service does not include is bought separately from Professional Services (C14, C39, C41, C51)."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Membership, Organisation, User
from accounts.roles import OrganisationKind, Permission
from contracts.models import Software
from entitlements import errors
from entitlements.actions.exceptions import needed
from entitlements.actions.telling import tell_decided, tell_waiting
from entitlements.kinds import QuoteState, QuoteSubject
from entitlements.models import QuoteRequest


@transaction.atomic
def ask_quote(
    *,
    organisation: Organisation,
    software: Software | None,
    about: str,
    text: str,
    by: User,
    now: datetime,
) -> QuoteRequest:
    """An end user asks for itself, a partner for one of its customers. Without a software only about Junos OS.

    Raises: NotAllowed, SoftwareUnknown, ReasonNeeded."""
    acting = _asker(by, organisation)
    text = needed(text, _("Say what is needed."))
    if software is None and about != QuoteSubject.JUNOS:
        raise errors.SoftwareUnknown(_("Name the software."))
    if software is not None and not software.end_users.filter(pk=organisation.pk).exists():
        raise errors.SoftwareUnknown(_("This software was not made for this end user (C2)."))
    request = QuoteRequest.objects.create(
        organisation=organisation,
        software=software,
        about=QuoteSubject(about),
        text=text,
        asked_by=acting,
        asked_at=now,
    )
    audit.record("quote.asked", by=by, subject=request.number, now=now, about=about)
    tell_waiting(request, now=now)
    return request


def _asker(by: User, organisation: Organisation) -> Membership:
    acting = by.acting
    if acting is None or not by.can(Permission.REQUEST_ASK) or by.is_vendor_staff:
        raise errors.NotAllowed(_("A contact of the end user, or its partner, asks for a quote."))
    is_own = acting.organisation_id == organisation.pk and organisation.kind == OrganisationKind.END_USER
    is_customer = organisation.registered_by.filter(pk=acting.organisation_id).exists()
    if not is_own and not is_customer:
        raise errors.NotAllowed(_("Choose your own organisation or one of your customers."))
    return acting


@transaction.atomic
def answer_quote(
    *, request: QuoteRequest, amount: str, last_day: date, answer: str, by: User, now: datetime
) -> QuoteRequest:
    """Professional Services name an amount, as text with its currency, valid until the end of `last_day`.

    Raises: NotAllowed, WrongState, AmountNeeded, DayImpossible."""
    _check_quoter(by)
    amount = amount.strip()
    if not amount:
        raise errors.AmountNeeded(_("Name the amount and its currency."))
    if last_day < now.date():
        raise errors.DayImpossible(_("This day is over."))
    request = _waiting(request)
    request.amount, request.valid_until_on = amount[:80], last_day
    return _answered(request, QuoteState.QUOTED, answer.strip(), by=by, now=now)


@transaction.atomic
def decline_quote(*, request: QuoteRequest, reason: str, by: User, now: datetime) -> QuoteRequest:
    """Professional Services do not offer it, and say why. Raises: NotAllowed, WrongState, ReasonNeeded."""
    _check_quoter(by)
    reason = needed(reason, _("Give a reason."))
    return _answered(_waiting(request), QuoteState.DECLINED, reason, by=by, now=now)


@transaction.atomic
def withdraw_quote(*, request: QuoteRequest, by: User, now: datetime) -> QuoteRequest:
    """Those who asked do not need it any more. Raises: NotAllowed, WrongState."""
    acting = by.acting
    request = _waiting(request)
    if acting is None or acting.organisation_id != request.asked_by.organisation_id:
        raise errors.NotAllowed(_("Only those who asked withdraw a request."))
    return _answered(request, QuoteState.WITHDRAWN, "", by=by, now=now)


def _answered(
    request: QuoteRequest, state: QuoteState, answer: str, *, by: User, now: datetime
) -> QuoteRequest:
    request.state, request.answer = state, answer
    request.answered_by, request.answered_at = by.acting, now
    request.save()
    audit.record(f"quote.{state}", by=by, subject=request.number, now=now)
    if state != QuoteState.WITHDRAWN:
        tell_decided(request, reason=answer, now=now)
    return request


def _check_quoter(by: User) -> None:
    if by.acting is None or not by.can(Permission.REQUEST_QUOTE):
        raise errors.NotAllowed(_("Professional Services answer requests for a quote."))


def _waiting(request: QuoteRequest) -> QuoteRequest:
    request = QuoteRequest.objects.locked(request.pk)
    if request.state != QuoteState.WAITING:
        raise errors.WrongState(
            _("It has been answered meanwhile: %(state)s.") % {"state": request.get_state_display()}
        )
    return request
