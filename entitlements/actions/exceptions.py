"""Exceptions: an end user asks, one administrator grants, a second one confirms (C43, C51)."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Membership, Organisation, User
from accounts.roles import OrganisationKind, Permission
from contracts.models import Release, Software
from contracts.terms import first_instant
from entitlements import errors
from entitlements.actions.deciding import decide_and_record
from entitlements.actions.telling import tell_decided, tell_waiting
from entitlements.decision import Decision
from entitlements.kinds import Purpose, RequestState
from entitlements.models import DecisionRecord, ExceptionRequest
from entitlements.reasons import MAY_BE_SET_ASIDE, Code

LONGEST = timedelta(days=366)


@transaction.atomic
def ask_exception(
    *,
    software: Software,
    release: Release | None,
    codes: Collection[str],
    reason: str,
    by: User,
    now: datetime,
) -> ExceptionRequest:
    """Ask that these reasons be set aside for the own organisation; no release means every release.

    The decision of this moment is kept with it.

    Raises: NotAllowed, SoftwareUnknown, ReleaseUnknown, CodesNeeded, ReasonNeeded, AlreadyAsked; WouldNotHelp if
    something else stands in the way, such as a contract that has ended."""
    acting = _asker(by)
    organisation = acting.organisation
    chosen = _codes(codes)
    reason = needed(reason, _("Say why the service should be given all the same."))
    _check_rows(organisation, software, release)
    asked_for = ExceptionRequest.objects.undecided().filter(
        organisation=organisation, software=software, release=release, codes=chosen
    )
    if asked_for.exists():
        raise errors.AlreadyAsked(_("The same has been asked and waits for an answer."))
    answer, record = _decided(organisation, software, release, by, now)
    _check_use(answer, chosen)
    request = ExceptionRequest.objects.create(
        organisation=organisation,
        software=software,
        release=release,
        codes=chosen,
        reason=reason,
        decision=record,
        asked_by=acting,
        asked_at=now,
    )
    audit.record("exception.asked", by=by, subject=request.number, now=now, codes=chosen)
    tell_waiting(request, now=now)
    return request


def _asker(by: User) -> Membership:
    acting = by.acting
    if (
        acting is None
        or acting.organisation.kind != OrganisationKind.END_USER
        or not by.can(Permission.REQUEST_ASK)
    ):
        raise errors.NotAllowed(_("A contact of the end user asks for an exception."))
    return acting


def _codes(codes: Collection[str]) -> list[str]:
    chosen = sorted(set(codes))
    if not chosen or not set(chosen) <= {code.value for code in MAY_BE_SET_ASIDE}:
        raise errors.CodesNeeded(_("Choose what is to be set aside."))
    return chosen


def needed(text: str, message: str) -> str:
    """Raises: ReasonNeeded if there is nothing in it."""
    text = text.strip()
    if not text:
        raise errors.ReasonNeeded(message)
    return text


def _check_rows(organisation: Organisation, software: Software, release: Release | None) -> None:
    if not software.end_users.filter(pk=organisation.pk).exists():
        raise errors.SoftwareUnknown(_("This software was not made for your organisation (C2)."))
    if release is not None and release.software_id != software.pk:
        raise errors.ReleaseUnknown(_("This software has no such release."))


def _decided(
    organisation: Organisation, software: Software, release: Release | None, by: User, now: datetime
) -> tuple[Decision, DecisionRecord]:
    return decide_and_record(
        organisation=organisation,
        software=software,
        release=release,
        site_country=organisation.country,
        purpose=Purpose.EXCEPTION,
        by=by,
        now=now,
    )


def _check_use(answer: Decision, codes: Collection[str]) -> None:
    others = [reason for reason in answer.reasons if reason.code.value not in codes]
    if others:
        raise errors.WouldNotHelp(
            _("An exception would not help: %(reason)s %(remedy)s")
            % {"reason": others[0].sentence, "remedy": others[0].remedy}
        )


@transaction.atomic
def grant_exception(
    *,
    request: ExceptionRequest,
    last_day: date,
    is_chargeable: bool,
    grounds: str,
    by: User,
    now: datetime,
) -> ExceptionRequest:
    """The first administrator grants it until the end of `last_day` where the end user is; a second one confirms.

    `is_chargeable`: the work is charged at the rate in force on the day it is done (C51).

    Raises: NotAllowed, WrongState, ReasonNeeded, DayImpossible."""
    acting = _administrator(by)
    grounds = needed(grounds, _("Say why it is granted."))[:400]
    request = _in_state(request, RequestState.WAITING)
    _check_not_own(request, by)
    zone = ZoneInfo(request.organisation.time_zone)
    today = now.astimezone(zone).date()
    if not today <= last_day <= today + LONGEST:
        raise errors.DayImpossible(_("Choose a last day from today on, within a year."))
    request.state = RequestState.SECONDED
    request.ends_at = first_instant(last_day + timedelta(days=1), zone)
    request.is_chargeable, request.grounds = is_chargeable, grounds
    request.first_by, request.first_at = acting, now
    request.save()
    audit.record(
        "exception.granted_first", by=by, subject=request.number, now=now, last_day=last_day.isoformat()
    )
    tell_waiting(request, now=now)
    return request


@transaction.atomic
def second_exception(*, request: ExceptionRequest, by: User, now: datetime) -> ExceptionRequest:
    """A second, different administrator confirms; it holds from `now` (UTC) on. The decision that follows is kept.

    Raises: NotAllowed (also for the first administrator), WrongState (also if its last day is over)."""
    acting = _administrator(by)
    request = _in_state(request, RequestState.SECONDED)
    _check_not_own(request, by)
    assert request.first_by is not None
    assert request.ends_at is not None
    if request.first_by.user_id == by.pk:
        raise errors.NotAllowed(_("A second administrator decides, not the same one."))
    if request.ends_at <= now:
        raise errors.WrongState(_("The last day of this exception is over. Refuse it instead."))
    request.state = RequestState.GRANTED
    request.starts_at, request.second_by, request.second_at = now, acting, now
    request.save()
    _decided(request.organisation, request.software, request.release, by, now)
    audit.record("exception.granted", by=by, subject=request.number, now=now, codes=request.codes)
    tell_decided(request, reason=request.grounds, now=now)
    return request


@transaction.atomic
def refuse_exception(*, request: ExceptionRequest, reason: str, by: User, now: datetime) -> ExceptionRequest:
    """One administrator refuses what waits, also after another has granted it.

    Raises: NotAllowed, WrongState, ReasonNeeded."""
    acting = _administrator(by)
    reason = needed(reason, _("Give a reason."))[:400]
    request = _in_state(request, RequestState.WAITING, RequestState.SECONDED)
    _check_not_own(request, by)
    _close(request, RequestState.REFUSED, acting, reason, now)
    audit.record("exception.refused", by=by, subject=request.number, now=now, reason=reason)
    tell_decided(request, reason=reason, now=now)
    return request


@transaction.atomic
def withdraw_exception(*, request: ExceptionRequest, by: User, now: datetime) -> ExceptionRequest:
    """The end user does not need it any more. Raises: NotAllowed, WrongState."""
    acting = _asker(by)
    request = _in_state(request, RequestState.WAITING, RequestState.SECONDED)
    if acting.organisation_id != request.organisation_id:
        raise errors.NotAllowed(_("Only the end user withdraws its request."))
    _close(request, RequestState.WITHDRAWN, acting, "", now)
    audit.record("exception.withdrawn", by=by, subject=request.number, now=now)
    return request


def _close(
    request: ExceptionRequest, state: RequestState, acting: Membership, reason: str, now: datetime
) -> None:
    request.state, request.closing_reason = state, reason
    request.closed_by, request.closed_at = acting, now
    request.save(update_fields=["state", "closing_reason", "closed_by", "closed_at"])


def _administrator(by: User) -> Membership:
    if by.acting is None or not by.can(Permission.REQUEST_DECIDE):
        raise errors.NotAllowed(_("CSC administrators decide about exceptions."))
    return by.acting


def _check_not_own(request: ExceptionRequest, by: User) -> None:
    if request.asked_by.user_id == by.pk:
        raise errors.NotAllowed(_("Nobody decides about what they asked for."))


def _in_state(request: ExceptionRequest, *states: RequestState) -> ExceptionRequest:
    request = ExceptionRequest.objects.locked(request.pk)
    if request.state not in states:
        raise errors.WrongState(
            _("Somebody has decided meanwhile: %(state)s.") % {"state": request.get_state_display()}
        )
    return request


def standing(answer: Decision) -> list[str]:
    """Of the reasons against, those that an exception can set aside."""
    return [reason.code.value for reason in answer.reasons if Code(reason.code) in MAY_BE_SET_ASIDE]
