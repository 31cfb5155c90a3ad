"""Opening a case: the decision, the row, its ladder and the first alerts, in one transaction (C22, C27)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Membership, Organisation, Site, User
from accounts.roles import Permission, Role
from cases import ladder, targets
from cases.actions.change import Uploads, attach, hold_members, require, take_in, words
from cases.errors import BackupNotConfirmed, FieldError, NotAChoice, NotAllowed, NotCovered
from cases.models import Case, Watcher
from cases.notices import tell_of_opening
from cases.numbers import next_number
from cases.timeline import record_event
from cases.workflow import CaseState, Channel, Environment, EventKind, FollowUp
from contracts.kinds import ReleaseState
from contracts.models import Release, Software
from entitlements.actions import decide_and_record
from entitlements.kinds import Priority, Purpose
from entitlements.models import DecisionRecord, Policy


def open_case(
    *,
    organisation: Organisation,
    site: Site,
    software: Software,
    release: Release,
    synopsis: str,
    description: str,
    priority: str,
    environment: str,
    backup_confirmed: bool,
    by: User,
    now: datetime,
    activity: str = "",
    access: str = "",
    customer_reference: str = "",
    follow_up: str = FollowUp.FULL_MAIL,
    channel: str = Channel.WEB,
    contact: Membership | None = None,
    watchers: Sequence[Membership] = (),
    is_restricted: bool = False,
    uploads: Uploads = (),
) -> Case:
    """Open a case at `now` (UTC), by an end user for its own organisation, or by JTAC from a telephone call (C20).

    The entitlement decision is taken and frozen on it, the ladder's rungs are written and the levels that are
    alerted at once are alerted, all in one transaction. A refusal keeps the record of the attempt and nothing
    else. `contact` looks after it on the customer's side: the one who opens it, or for a call the technical
    contact (C45).

    Raises: NotAllowed; BackupNotConfirmed (C54); NotAChoice for what is unknown or somebody else's; FieldError;
    NotCovered (C25, C42, C45, C63); FileRefused."""
    _check_person(by, organisation)
    if not backup_confirmed:
        raise BackupNotConfirmed
    _check_rows(organisation, site, software, release)
    _check_words(priority=priority, environment=environment, follow_up=follow_up)
    with transaction.atomic():
        decision, record = decide_and_record(
            organisation=organisation,
            software=software,
            release=release,
            site_country=site.country,
            purpose=Purpose.CASE,
            by=by,
            now=now,
        )
        if decision.granted:
            case = _case(record, site, software, release, priority=priority, by=by, now=now)
            case.contact = _contact(organisation, contact, by)
            case.synopsis, case.description = words(synopsis, "synopsis"), words(description, "description")
            case.activity, case.access = activity.strip(), access.strip()
            case.customer_reference = customer_reference.strip()
            case.environment, case.follow_up = environment, follow_up
            case.channel, case.is_restricted = _channel(by, channel), is_restricted
            return _write(case, _colleagues(watchers, organisation), uploads, by=by, now=now)
    raise NotCovered(decision, record)


def _check_person(by: User, organisation: Organisation) -> None:
    member = require(by, Permission.CASE_OPEN)
    if member.organisation_id != organisation.pk and not by.can(Permission.CASE_VIEW_ALL):
        raise NotAllowed(_("You may open cases for your own organisation only."))
    if organisation.is_vendor or organisation.is_partner:
        raise NotAllowed(_("A case is opened for an end user of the software (C8)."))


def _check_rows(organisation: Organisation, site: Site, software: Software, release: Release) -> None:
    if site.organisation_id != organisation.pk:
        raise NotAChoice("site")
    if not software.end_users.filter(pk=organisation.pk).exists():
        raise NotAChoice("software")
    if release.software_id != software.pk or release.state == ReleaseState.DRAFT:
        raise NotAChoice("release")


def _check_words(**values: str) -> None:
    choices = {"priority": Priority, "environment": Environment, "follow_up": FollowUp}
    for field, value in values.items():
        if value not in choices[field].values:
            raise NotAChoice(field)


def _contact(organisation: Organisation, contact: Membership | None, by: User) -> Membership:
    """The one named, or whoever opens it, or for a telephone call the longest-serving technical contact."""
    if contact is not None:
        if contact.organisation_id != organisation.pk or not contact.is_active:
            raise NotAChoice("contact")
        return contact
    if by.acting is not None and by.acting.organisation_id == organisation.pk:
        return by.acting
    colleagues = Membership.objects.active().of_organisation(organisation)
    found = colleagues.with_role(Role.TECHNICAL_CONTACT).order_by("pk").first()
    if found is None:
        raise FieldError("contact", _("Name the person at the customer who looks after the case (C45)."))
    return found


def _colleagues(watchers: Sequence[Membership], organisation: Organisation) -> list[Membership]:
    if any(w.organisation_id != organisation.pk or not w.is_active for w in watchers):
        raise NotAChoice("watchers")
    return list({watcher.pk: watcher for watcher in watchers}.values())


def _channel(by: User, channel: str) -> Channel:
    """What JTAC enters was told by telephone; a customer comes by the portal or by the API."""
    if by.can(Permission.CASE_VIEW_ALL):
        return Channel.PHONE
    return Channel.API if channel == Channel.API else Channel.WEB


def _case(
    record: DecisionRecord,
    site: Site,
    software: Software,
    release: Release,
    *,
    priority: str,
    by: User,
    now: datetime,
) -> Case:
    member = require(by, Permission.CASE_OPEN)
    assert record.contract_id is not None  # a granted decision names its contract
    case = Case(
        organisation=site.organisation,
        site=site,
        software=software,
        release=release,
        contract_id=record.contract_id,
        decision=record,
        policy=Policy.objects.in_force_at(now),
        priority=priority,
        state=CaseState.NEW,
        opened_by=member,
        opened_at=now,
        updated_at=now,
        backup_confirmed_at=now,
        backup_confirmed_by=member,
    )
    targets.begin(case, now=now)
    return case


def _write(case: Case, watchers: Sequence[Membership], uploads: Uploads, *, by: User, now: datetime) -> Case:
    stored = take_in(uploads, by=by, now=now)
    if not hold_members([case.contact, case.opened_by, *watchers]):
        raise NotAllowed(_("Somebody named here has left the organisation meanwhile."))
    case.number = next_number(now)
    case.save(force_insert=True)
    Watcher.objects.bulk_create(Watcher(case=case, membership=watcher) for watcher in watchers)
    detail = {"priority": case.priority, "channel": case.channel}
    event = record_event(case, EventKind.OPENED, by=by, now=now, detail=detail)
    attach(case, event, stored)
    ladder.start_cycle(case, started_by=EventKind.OPENED, now=now)
    tell_of_opening(case, watchers, by=by, now=now)
    return case
