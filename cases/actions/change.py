"""What every change of a case does: hold its row, check who and which version, save the columns, count up."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import Membership, User
from accounts.roles import Permission
from cases.errors import CaseChanged, CaseClosed, NotAllowed, ReasonNeeded
from cases.models import Attachment, Case, CaseEvent
from cases.workflow import CaseState
from files import actions as files_actions
from files.models import StoredFile

# files that came with the form, and numbers of uploads that went ahead of it
Uploads = files_actions.Sent

HOLD_MEMBERS = """
SELECT id FROM accounts_membership WHERE id = ANY(%s) AND ended_at IS NULL ORDER BY id FOR SHARE
"""


def acting(by: User) -> Membership:
    """The membership that the person acts in. Raises: NotAllowed without one."""
    if by.acting is None:
        raise NotAllowed(_("You act for no organisation."))
    return by.acting


def require(by: User, *permissions: Permission) -> Membership:
    """The membership acted in, if one of the permissions comes with it. Raises: NotAllowed."""
    if not any(by.can(permission) for permission in permissions):
        raise NotAllowed(_("Your role does not allow this."))
    return acting(by)


def hold(
    case: Case,
    *,
    by: User,
    permissions: Collection[Permission],
    expected_version: int | None = None,
    may_be_closed: bool = False,
) -> Case:
    """The case as it is now, its row held until the transaction ends, for a change by this person.

    Raises: NotAllowed; CaseChanged if it is not `expected_version` any more; CaseClosed."""
    require(by, *permissions)
    rows = Case.objects.visible_to(by).filter(pk=case.pk).select_for_update(of=("self",), no_key=True)
    held = rows.select_related("organisation", "site", "software").defer("search").first()
    if held is None:
        raise NotAllowed(_("Your role does not allow this."))
    if expected_version is not None and held.version != expected_version:
        raise CaseChanged(held.version)
    if held.state == CaseState.CLOSED and not may_be_closed:
        raise CaseClosed
    return held


def hold_members(members: Sequence[Membership]) -> bool:
    """Keep these memberships from ending before the transaction does; whether all of them still last.

    Call it before the case is held, as the ending of a membership takes the two in that order."""
    wanted = sorted({member.pk for member in members})
    with connection.cursor() as cursor:
        cursor.execute(HOLD_MEMBERS, [wanted])
        return len(cursor.fetchall()) == len(wanted)


def save(case: Case, *columns: str, now: datetime) -> Case:
    """Write the changed columns, and that the case changed."""
    case.version += 1
    case.updated_at = now
    case.save(update_fields=[*columns, "version", "updated_at"])
    return case


def words(text: str, field: str = "reason") -> str:
    """The text without the space around it. Raises: ReasonNeeded if nothing is left."""
    text = text.strip()
    if not text:
        raise ReasonNeeded(field)
    return text


def take_in(uploads: Uploads, *, by: User, now: datetime) -> list[StoredFile]:
    """Store the bytes, before the case is held: that may take long. Raises: FileRefused."""
    return files_actions.take_in(sent=uploads, by=by, now=now)


def attach(case: Case, event: CaseEvent, stored: Sequence[StoredFile]) -> None:
    """Hang stored files on an entry of the case; whoever may read it may fetch them."""
    Attachment.objects.bulk_create(Attachment(case=case, event=event, stored=file) for file in stored)
