"""What can be wrong with a change to contracts, documents and releases; each message is fit for the page."""

from collections.abc import Sequence

from django.db import IntegrityError


class ContractError(Exception):
    """A change that was refused. `field` names the form field that caused it, where one did."""

    field = ""


class NotAllowed(ContractError):
    """The person may not do this, or not to this row."""


class UnknownCustomer(ContractError):
    """The end user is not one that this partner may name (C9), or not a qualified end user (C8)."""

    field = "end_user"


class SoftwareNotSupported(ContractError):
    """Not custom software, or not made for this end user (C2, C18)."""

    field = "software"


class TermTooShort(ContractError):
    """Less than twelve months without an approved co-termination (C10)."""

    field = "months"


class TermImpossible(ContractError):
    """Dates that no contract can have."""

    field = "starts_on"


class PeriodOverlaps(ContractError):
    """Another contract for this end user and software covers part of these dates."""

    field = "starts_on"


class OrderIncomplete(ContractError):
    """A partner's contract without the purchase order's number, end-user name or address (C9)."""

    field = "purchase_order"


class OrderDiffers(ContractError):
    """The order names another end user or address, and nobody has said that this is right (C9)."""

    field = "order_checked"


class WrongState(ContractError):
    """The row has been decided, published or withdrawn meanwhile."""


class ReasonNeeded(ContractError):
    """A refusal, termination or withdrawal says why."""

    field = "reason"


class PrerequisitesMissing(ContractError):
    """Design document or test plan missing, out of date, or not agreed by both sides (C12-C14)."""

    def __init__(self, message: str, missing: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.missing = tuple(missing)


class AlreadyAgreed(ContractError):
    """This side has agreed to this version."""


class VersionTaken(ContractError):
    """The software has a release of this version, or its document one."""

    field = "version"


class AppliesToAnother(ContractError):
    """A release can be for, or contain, releases of its own software only."""

    field = "applies_to"


class DefectMissing(ContractError):
    """A patch names the problem it fixes (C36)."""

    field = "fixes"


class NewFeatures(ContractError):
    """An update has no features beyond the latest upgrade, and somebody says so (C38)."""

    field = "has_no_new_features"


class NotAcceptable(ContractError):
    """The release cannot be accepted: not published, or not made for this end user."""


class AlreadyAccepted(ContractError):
    """The end user has accepted this release."""


def violated(error: IntegrityError) -> str:
    """The name of the constraint that PostgreSQL says was violated."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""
