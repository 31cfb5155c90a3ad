"""What a customer may ask of JTAC's management."""

from datetime import datetime

from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.roles import Permission
from cases.actions.change import hold, require, save
from cases.errors import NotAChoice
from cases.models import Case, CaseEvent
from cases.notices import ESCALATION, duty_managers, our_side, tell, tell_of_update
from cases.timeline import record_event
from cases.workflow import EventKind


class EscalationReason(TextChoices):
    FASTER_PROGRESS = "faster_progress", _("Faster progress")
    STATUS_UPDATE = "status_update", _("A status update")
    ENGINEER_NOW = "engineer_now", _("An engineer now")
    REASSIGNMENT = "reassignment", _("Another engineer")
    OTHER = "other", _("Something else")


@transaction.atomic
def request_escalation(
    *, case: Case, reason: str, by: User, now: datetime, note: str = "", expected_version: int | None = None
) -> CaseEvent:
    """A customer asks for escalation: all duty managers are alerted, and it stands on the timeline (C24).

    Raises: NotAllowed, CaseClosed, CaseChanged; NotAChoice for a reason that is none of EscalationReason."""
    require(by, Permission.CASE_ANSWER)
    if reason not in EscalationReason.values:
        raise NotAChoice("reason")
    case = hold(case, by=by, permissions=[Permission.CASE_ANSWER], expected_version=expected_version)
    event = record_event(
        case, EventKind.ESCALATION_REQUESTED, by=by, now=now, body=note.strip(), detail={"wish": reason}
    )
    save(case, now=now)
    tell(
        ESCALATION, case, duty_managers(), by=by, now=now, dedupe=str(event.pk), wish=reason, text=event.body
    )
    tell_of_update(case, event, our_side(case), by=by, now=now)
    return event
