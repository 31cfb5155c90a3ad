"""Requirements of a contract, written notices about responsibilities, and the agreements that govern (C4, C58-C62)."""

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Membership, User
from accounts.roles import Permission
from contracts import errors
from contracts.kinds import GoverningKind, RequirementSource, Responsibility
from contracts.models import GoverningDocument, NonFulfilment, Requirement, ServiceContract
from contracts.obligation_notices import tell_giver, tell_staff

LONGEST_LINE = 400
LONGEST_NOTICE = 4000


def _acting(by: User, permission: Permission, refusal: str) -> Membership:
    if by.acting is None or not by.can(permission):
        raise errors.NotAllowed(refusal)
    return by.acting


def _staff(by: User) -> Membership:
    refusal = _("Only staff record requirements and answer written notices.")
    return _acting(by, Permission.OBLIGATION_RECORD, refusal)


def _text(text: str, longest: int, refusal: str) -> str:
    text = text.strip()
    if not text:
        raise errors.TextNeeded(refusal)
    return text[:longest]


# Requirements


@transaction.atomic
def record_requirement(
    *,
    contract: ServiceContract,
    text: str,
    source: RequirementSource,
    source_title: str,
    dated_on: date,
    by: User,
    now: datetime,
) -> Requirement:
    """Add to the register what the end user must have in place (C58), and where it is written or was said (C59).

    Raises: NotAllowed, TextNeeded."""
    acting = _staff(by)
    requirement = Requirement.objects.create(
        contract=contract,
        text=_text(text, LONGEST_LINE, _("Say what is required.")),
        source=source,
        source_title=source_title.strip(),
        dated_on=dated_on,
        recorded_by=acting,
        recorded_at=now,
    )
    _note("requirement.recorded", requirement, by, now, source=source)
    return requirement


@transaction.atomic
def meet_requirement(*, requirement: Requirement, note: str = "", by: User, now: datetime) -> Requirement:
    """A technical contact says that the requirement is met, with a note how (C58).

    Raises: NotAllowed, NotMet when it is met already or no longer asked."""
    acting = _answers(requirement, by)
    requirement = _asked(requirement)
    if requirement.met_at:
        raise errors.NotMet(_("This requirement is marked as met already."))
    requirement.met_at, requirement.met_by = now, acting
    requirement.met_note = note.strip()[:LONGEST_LINE]
    requirement.save(update_fields=["met_at", "met_by", "met_note"])
    _note("requirement.met", requirement, by, now, note=requirement.met_note)
    return requirement


@transaction.atomic
def unmeet_requirement(*, requirement: Requirement, by: User, now: datetime) -> Requirement:
    """The requirement is not met any more; who had said so before stays in the audit trail (C58).

    A technical contact or staff say it. Raises: NotAllowed, NotMet."""
    if not by.can(Permission.OBLIGATION_RECORD):
        _answers(requirement, by)
    requirement = _asked(requirement)
    if requirement.met_at is None:
        raise errors.NotMet(_("This requirement is not marked as met."))
    requirement.met_at = requirement.met_by = None
    requirement.met_note = ""
    requirement.save(update_fields=["met_at", "met_by", "met_note"])
    _note("requirement.unmet", requirement, by, now)
    return requirement


@transaction.atomic
def retire_requirement(*, requirement: Requirement, by: User, now: datetime) -> Requirement:
    """Staff no longer ask for it; the row stays. Raises: NotAllowed, NotMet when it is retired already."""
    _staff(by)
    requirement = _asked(requirement)
    requirement.retired_at = now
    requirement.save(update_fields=["retired_at"])
    _note("requirement.retired", requirement, by, now)
    return requirement


def _answers(requirement: Requirement, by: User) -> Membership:
    refusal = _("A technical contact of the end user says whether a requirement is met.")
    acting = _acting(by, Permission.OBLIGATION_MEET, refusal)
    if acting.organisation_id != requirement.contract.end_user_id:
        raise errors.NotAllowed(refusal)
    return acting


def _asked(requirement: Requirement) -> Requirement:
    locked = Requirement.objects.select_for_update(of=("self",)).select_related("contract")
    requirement = locked.get(pk=requirement.pk)
    if requirement.retired_at:
        raise errors.NotMet(_("This requirement is no longer asked."))
    return requirement


def _note(action: str, requirement: Requirement, by: User, now: datetime, **detail: str) -> None:
    number = requirement.contract.number
    audit.record(action, by=by, subject=number, now=now, requirement=requirement.text[:200], **detail)


# Written notices


@transaction.atomic
def give_notice(
    *,
    contract: ServiceContract,
    responsibility: Responsibility,
    is_certain: bool,
    text: str,
    by: User,
    now: datetime,
) -> NonFulfilment:
    """The end user tells the vendor in writing that it will not, or may not, meet a responsibility (C62).

    Kept as written, with its time; CSC administrators and duty managers are told in the same transaction.

    Raises: NotAllowed, TextNeeded."""
    refusal = _("The end user gives this notice: a contact or an account manager.")
    acting = _acting(by, Permission.OBLIGATION_NOTIFY, refusal)
    if acting.organisation_id != contract.end_user_id:
        raise errors.NotAllowed(refusal)
    notice = NonFulfilment.objects.create(
        contract=contract,
        responsibility=responsibility,
        is_certain=is_certain,
        text=_text(text, LONGEST_NOTICE, _("Say what will not be met.")),
        given_by=acting,
        given_at=now,
    )
    detail: dict[str, Any] = {"responsibility": responsibility, "is_certain": is_certain}
    audit.record("non_fulfilment.given", by=by, subject=contract.number, now=now, **detail)
    tell_staff(notice, now=now)
    return notice


@transaction.atomic
def answer_notice(*, notice: NonFulfilment, answer: str, by: User, now: datetime) -> NonFulfilment:
    """Staff have read the notice, once and for all, and say what follows; whoever gave it is told (C62).

    Raises: NotAllowed, WrongState when somebody has answered it, TextNeeded."""
    acting = _staff(by)
    answer = answer.strip()[:LONGEST_LINE]
    if not answer:
        raise errors.AnswerNeeded(_("Write an answer: what follows from it."))
    unread = NonFulfilment.objects.filter(pk=notice.pk, read_at__isnull=True)
    if not unread.update(read_by=acting, read_at=now, answer=answer):
        raise errors.WrongState(_("This notice has been answered."))
    notice.refresh_from_db()
    audit.record("non_fulfilment.answered", by=by, subject=notice.contract.number, now=now, answer=answer)
    tell_giver(notice, by=by, now=now)
    return notice


# What governs


@transaction.atomic
def add_governing_document(
    *,
    kind: GoverningKind,
    title: str,
    version: str,
    in_force_from: date,
    text: str,
    by: User,
    now: datetime,
) -> GoverningDocument:
    """Add a version of an agreement or a licence (C4, C5). A version is never changed: what was agreed stays readable.

    Raises: NotAllowed, VersionTaken, TextNeeded."""
    _acting(by, Permission.SETTINGS_EDIT, _("Only CSC administrators add agreements and licences."))
    if not text.strip():
        raise errors.TextNeeded(_("Give the text."))
    try:
        with transaction.atomic():
            document = GoverningDocument.objects.create(
                kind=kind,
                title=title.strip(),
                version=version.strip(),
                in_force_from=in_force_from,
                text=text,
            )
    except IntegrityError as error:
        raise errors.VersionTaken(_("This version exists.")) from error
    detail = {"kind": kind, "in_force_from": in_force_from.isoformat()}
    audit.record("agreement.added", by=by, subject=document, now=now, **detail)
    return document
