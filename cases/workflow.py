"""The states of a case and the moves between them (support-practice of the design, "Case states")."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class CaseState(TextChoices):
    NEW = "new", _("New")
    DISPATCHED = "dispatched", _("Dispatched")
    IN_PROGRESS = "in_progress", _("In progress")
    CUSTOMER_PENDING = "customer_pending", _("Customer pending")
    FIX_PENDING = "fix_pending", _("Fix pending")
    MONITORING = "monitoring", _("Monitoring")
    RESOLUTION_PROPOSED = "resolution_proposed", _("Resolution proposed")
    CLOSED = "closed", _("Closed")


S = CaseState
OPEN_STATES = frozenset(s for s in CaseState if s != S.CLOSED)

# what JTAC may choose by hand; the moves of the customer (reply, accept, reject, reopen) are actions of their own
MOVES: dict[str, frozenset[CaseState]] = {
    S.NEW: frozenset({S.DISPATCHED, S.IN_PROGRESS, S.CUSTOMER_PENDING}),
    S.DISPATCHED: frozenset({S.IN_PROGRESS, S.CUSTOMER_PENDING}),
    S.IN_PROGRESS: frozenset(
        {S.DISPATCHED, S.CUSTOMER_PENDING, S.FIX_PENDING, S.MONITORING, S.RESOLUTION_PROPOSED}
    ),
    S.CUSTOMER_PENDING: frozenset({S.IN_PROGRESS, S.FIX_PENDING, S.MONITORING, S.RESOLUTION_PROPOSED}),
    S.FIX_PENDING: frozenset({S.IN_PROGRESS, S.CUSTOMER_PENDING, S.MONITORING, S.RESOLUTION_PROPOSED}),
    S.MONITORING: frozenset({S.IN_PROGRESS, S.CUSTOMER_PENDING, S.FIX_PENDING, S.RESOLUTION_PROPOSED}),
    S.RESOLUTION_PROPOSED: frozenset({S.IN_PROGRESS, S.MONITORING}),
    S.CLOSED: frozenset(),
}


class Environment(TextChoices):
    PRODUCTION = "production", _("Production")
    PRE_PRODUCTION = "pre_production", _("Pre-production")
    TEST = "test", _("Test")


class Channel(TextChoices):
    WEB = "web", _("Portal")
    PHONE = "phone", _("Telephone")
    API = "api", _("API")


class FollowUp(TextChoices):
    FULL_MAIL = "full_mail", _("Mail with the full text")
    LINK_MAIL = "link_mail", _("Mail with a link only")
    TELEPHONE = "telephone", _("Telephone")


class EventKind(TextChoices):
    OPENED = "opened", _("Opened the case")
    REPLY = "reply", _("Reply")
    NOTE = "note", _("Internal note")
    STATE = "state", _("State changed")
    ASSIGNED = "assigned", _("Assigned")
    PRIORITY_RAISED = "priority_raised", _("Priority raised")
    PRIORITY_LOWERED = "priority_lowered", _("Priority lowered")
    ALERT = "alert", _("Management alerted")
    ACKNOWLEDGED = "acknowledged", _("Alert acknowledged")
    RESTORED = "restored", _("Service restored")
    RESTORATION_DENIED = "restoration_denied", _("Restoration denied")
    RESOLUTION_PROPOSED = "resolution_proposed", _("Resolution proposed")
    RESOLUTION_ACCEPTED = "resolution_accepted", _("Resolution accepted")
    RESOLUTION_REJECTED = "resolution_rejected", _("Resolution rejected")
    CLOSURE_REQUESTED = "closure_requested", _("Closure requested")
    ESCALATION_REQUESTED = "escalation_requested", _("Escalation requested")
    CLOSED = "closed", _("Closed")
    REOPENED = "reopened", _("Reopened")
    OWNER_LEFT = "owner_left", _("Handed over")
    CHANGED = "changed", _("Changed")


class RungState(TextChoices):
    PENDING = "pending", _("Planned")
    FIRED = "fired", _("Alerted")
    CANCELLED = "cancelled", _("Cancelled")
    SUPERSEDED = "superseded", _("Superseded")
