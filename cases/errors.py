"""What can stand against work on a case. `str(error)` is a sentence for the person who asked."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from entitlements.models import DecisionRecord

if TYPE_CHECKING:
    from entitlements.decision import Decision


class CaseError(Exception):
    """A rule of the work on cases stands against it."""


class NotAllowed(CaseError):
    """The person may not do this; the message says why."""


class CaseClosed(CaseError):
    """The case is closed: it can be reopened for a while, or a new one opened."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or _("This case is closed. Reopen it, or open a new one."))


class IllegalMove(CaseError):
    """The state of the case does not allow this move; the message says which ones it does."""


class IllegalPriority(CaseError):
    """A raise goes up and a lowering goes down; this one does not."""


class CaseChanged(CaseError):
    """Somebody changed the case since the person looked at it. `version` is the one that stands now."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(
            _("Somebody changed this case meanwhile. Look at it again, then repeat your change.")
        )


class FieldError(CaseError):
    """Something that was given, or is missing, in the field `field`."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


class ReasonNeeded(FieldError):
    """This change is not made without words that explain it."""

    def __init__(self, field: str = "reason", message: str = "") -> None:
        super().__init__(field, message or _("Say why."))


class BackupNotConfirmed(FieldError):
    """Data are to be protected and backed up before JTAC is contacted (C54)."""

    def __init__(self) -> None:
        super().__init__("backup_confirmed", _("Confirm that your data are protected and backed up (C54)."))


class NotAChoice(FieldError):
    """Unknown, or somebody else's, which is the same to whoever asks."""

    def __init__(self, field: str) -> None:
        super().__init__(field, _("Choose one of those that are offered."))


class NotCovered(CaseError):
    """The entitlement decision was no (C25, C42, C45, C63, C70-C73). The record of the attempt is kept."""

    def __init__(self, decision: "Decision", record: DecisionRecord) -> None:
        self.decision = decision
        self.record = record
        super().__init__(" ".join(decision.explain()))
