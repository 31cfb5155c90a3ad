"""Install tasks: end users apply patches and updates as JTAC or Professional Services instruct (C48)."""

from collections.abc import Collection
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts import errors
from contracts.actions.acceptance import accept_release
from contracts.install_notices import tell_technical_contacts
from contracts.kinds import AcceptedBy, InstallState, ReleaseKind, ReleaseState
from contracts.models import Acceptance, InstallTask, Release

INSTALLED_KINDS = frozenset({ReleaseKind.PATCH, ReleaseKind.UPDATE})


def today_in(organisation: Organisation, now: datetime) -> date:
    """The day it is where the organisation is."""
    return now.astimezone(ZoneInfo(organisation.time_zone)).date()


def _staff(by: User) -> Membership:
    if by.acting is None or not by.can(Permission.RELEASE_INSTRUCT):
        raise errors.NotAllowed(_("Only JTAC and Professional Services ask for an installation."))
    return by.acting


@transaction.atomic
def ask_to_install(
    *,
    release: Release,
    organisations: Collection[Organisation],
    instruction: str,
    due_on: date,
    by: User,
    now: datetime,
) -> list[InstallTask]:
    """Ask each of these end users to install a published patch or update by a day in its own zone (C48).

    Their technical contacts are told in this transaction. Who has accepted the release already, or has an open task
    for it, is passed over. A task is no gift: whether they may download it is decided when they do.

    Raises: NotAllowed, TaskImpossible, AppliesToAnother if it was not made for one of them, ReasonNeeded."""
    acting = _staff(by)
    # held, so that it is not withdrawn meanwhile
    release = Release.objects.select_for_update(of=("self",), no_key=True).get(pk=release.pk)
    _check(release, organisations, due_on, now)
    if not instruction.strip():
        raise errors.ReasonNeeded(_("Write what is to be done."))
    has_it = set(release.acceptances.values_list("organisation_id", flat=True))
    asked = [row for row in organisations if row.pk not in has_it]
    rows = [
        InstallTask(
            organisation=organisation,
            software_id=release.software_id,
            release=release,
            instruction=instruction.strip(),
            due_on=due_on,
            created_by=acting,
            created_at=now,
        )
        for organisation in asked
    ]
    tasks = [task for task in rows if _write(task)]
    tell_technical_contacts(tasks)
    for task in tasks:
        audit.record("install_task.asked", by=by, subject=task, now=now, due_on=due_on.isoformat())
    return tasks


def _check(release: Release, organisations: Collection[Organisation], due_on: date, now: datetime) -> None:
    if release.state != ReleaseState.PUBLISHED or release.kind not in INSTALLED_KINDS:
        raise errors.WrongState(_("Only a published patch or update can be asked to be installed."))
    if any(due_on < today_in(organisation, now) for organisation in organisations):
        raise errors.TaskImpossible(_("That day is over where the end user is."))
    owners = set(release.software.end_users.values_list("pk", flat=True))
    if {organisation.pk for organisation in organisations} - owners:
        raise errors.AppliesToAnother(_("The software was not made for one of these end users."))


def _write(task: InstallTask) -> bool:
    """Whether it was written: an open task for the same release stays as it is."""
    try:
        with transaction.atomic():
            task.save(force_insert=True)
    except IntegrityError as error:
        if errors.violated(error) != "contracts_installtask_is_open_once_per_release":
            raise
        return False
    return True


def _open(task: InstallTask) -> InstallTask:
    task = (
        InstallTask.objects.select_for_update(of=("self",))
        .select_related("organisation", "release")
        .get(pk=task.pk)
    )
    if task.state != InstallState.OPEN:
        raise errors.WrongState(_("This task is closed already."))
    return task


@transaction.atomic
def finish_install_task(
    *, task: InstallTask, done_on: date, by: User, now: datetime, note: str = ""
) -> InstallTask:
    """A technical contact says that it is installed since a day in its zone; the line's accepted release moves on.

    Raises: NotAllowed, WrongState, DayImpossible, NotAcceptable if it was withdrawn meanwhile."""
    acting = by.acting
    if acting is None or not by.can(Permission.RELEASE_ACCEPT):
        raise errors.NotAllowed(_("Only a technical contact can say that it is installed."))
    task = _open(task)
    if task.organisation_id != acting.organisation_id:
        raise errors.NotAllowed(_("Only a technical contact can say that it is installed."))
    published = task.release.published_at
    first = published.astimezone(ZoneInfo(task.organisation.time_zone)).date() if published else done_on
    if not first <= done_on <= today_in(task.organisation, now):
        raise errors.DayImpossible(_("Give a day from its publication until today."))
    task.state, task.done_on = InstallState.DONE, done_on
    task.closed_by, task.closed_at, task.closing_note = acting, now, note.strip()[:400]
    task.save(update_fields=["state", "done_on", "closed_by", "closed_at", "closing_note"])
    if not Acceptance.objects.filter(organisation=task.organisation, release=task.release).exists():
        accept_release(release=task.release, by=by, now=now, means=AcceptedBy.INSTALLATION)
    audit.record("install_task.done", by=by, subject=task, now=now, done_on=done_on.isoformat())
    return task


@transaction.atomic
def cancel_install_task(*, task: InstallTask, reason: str, by: User, now: datetime) -> InstallTask:
    """Staff take a task back, and say why.

    Raises: NotAllowed, WrongState, ReasonNeeded."""
    acting = _staff(by)
    reason = reason.strip()[:400]
    if not reason:
        raise errors.ReasonNeeded(_("Give a reason."))
    task = _open(task)
    task.state = InstallState.CANCELLED
    task.closed_by, task.closed_at, task.closing_note = acting, now, reason
    task.save(update_fields=["state", "closed_by", "closed_at", "closing_note"])
    audit.record("install_task.cancelled", by=by, subject=task, now=now, reason=reason)
    return task
