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


class NotMet(ContractError):
    """A requirement that nobody has said is met, or one that is met already, or is no longer asked (C58)."""


class TextNeeded(ContractError):
    """A requirement or a written notice says what."""

    field = "text"


class AnswerNeeded(ContractError):
    """A written notice is answered in words."""

    field = "answer"


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


class ShortNameTaken(VersionTaken):
    """Another software has this short name, or the portal uses the word itself."""

    field = "slug"


class EndUserKept(ContractError):
    """Whom a software was made for only grows: contracts and acceptances stand on it."""

    field = "end_users"


class ContainsOther(ContractError):
    """An update collects patches, nothing else (C37)."""

    field = "contains"


class LanguageUnexplained(ContractError):
    """Release notes in another language than English have a reason (C67)."""

    field = "language_reason"


class ManifestWrong(ContractError):
    """A line of a manifest that cannot stand: a path out of its folder, no sum, a file named twice."""

    field = "manifest"


class FileDiffers(ContractError):
    """Uploaded bytes are not what the manifest says; `path` names the line."""

    field = "uploads"

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class ManifestChanged(ContractError):
    """What was confirmed is not what the release holds."""

    field = "manifest_sha256"


class TaskImpossible(ContractError):
    """An install task that cannot be: a day gone by, nobody to ask, or a release that is no patch or update (C48)."""

    field = "due_on"


class DayImpossible(ContractError):
    """A day in the future, or before the release was published."""

    field = "done_on"


class SumsUnreadable(ContractError):
    """What was given is no list of sums, or there is no manifest to compare it with."""

    field = "sums"


class DriftOverlaps(ContractError):
    """A drift of this line is recorded for part of that time."""

    field = "since"


class EvidenceNeeded(ContractError):
    """A claim of drift rests on evidence (C43)."""

    field = "evidence"


class DeclarationMissing(ContractError):
    """Nobody declared that the end user uses the software internally only (C8)."""

    field = "is_internal_use"


class SowUnknown(ContractError):
    """The statement of work is unknown, or not for this end user: one answer for both (C2)."""

    field = "sow_reference"


class NotAligned(ContractError):
    """The contract cannot end with the one that was named (C10)."""

    field = "co_terminates_with"


class AlignmentReasonNeeded(ReasonNeeded):
    """A co-termination says why (C10)."""

    field = "co_termination_reason"


class EndUserRefused(ContractError):
    """A new end user that cannot be named like this (C8, C9)."""

    def __init__(self, message: str, field: str = "new_name") -> None:
        super().__init__(message)
        self.field = field


class ImportRefused(ContractError):
    """The file cannot be taken as an import of contracts."""

    field = "file"


def violated(error: IntegrityError) -> str:
    """The name of the constraint that PostgreSQL says was violated."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""
