"""What can be wrong with a download or a request; each message is fit for the page."""

from django.utils.translation import gettext as _

from contracts.models import GoverningDocument
from entitlements.decision import Decision
from entitlements.models import DecisionRecord


class EntitlementError(Exception):
    """A change that was refused. `field` names the form field that caused it, where one did."""

    field = ""


class NotAllowed(EntitlementError):
    """The person may not do this, or not to this row."""


class WrongState(EntitlementError):
    """Somebody has decided, answered or withdrawn it meanwhile."""


class ReasonNeeded(EntitlementError):
    """Why it is asked, granted, refused or declined."""

    field = "reason"


class CodesNeeded(EntitlementError):
    """An exception names what it sets aside, and only what may be."""

    field = "codes"


class WouldNotHelp(EntitlementError):
    """Something else stands in the way that no exception sets aside."""

    field = "codes"


class AlreadyAsked(EntitlementError):
    """The same is waiting for an answer."""


class SoftwareUnknown(EntitlementError):
    """Not made for this end user, or not named where it must be."""

    field = "software"


class ReleaseUnknown(EntitlementError):
    """Not a release of this software."""

    field = "release"


class DayImpossible(EntitlementError):
    """A last day that is over, or too far away."""

    field = "last_day"


class AmountNeeded(EntitlementError):
    """A quote names an amount."""

    field = "amount"


class DownloadRefused(EntitlementError):
    """The service does not owe this file now. The decision says why; it is kept."""

    def __init__(self, decision: Decision, record: DecisionRecord) -> None:
        super().__init__(" ".join(decision.explain()))
        self.decision, self.record = decision, record


class LicenceNotAccepted(EntitlementError):
    """Nobody of the end user has accepted the licence in force (C5)."""

    def __init__(self, licence: GoverningDocument) -> None:
        super().__init__(_("Accept %(licence)s first (C5).") % {"licence": str(licence)})
        self.licence = licence
