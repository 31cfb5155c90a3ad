"""The words of contracts: kinds and states."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class SoftwareKind(TextChoices):
    """Supported custom software (C2), or what is outside the service (C41, C70, C73)."""

    SUPPORTED = "supported", _("Supported custom software")
    CONSULTING = "consulting", _("Consulting deliverable")
    THIRD_PARTY = "third_party", _("Third-party component")
    JUNOS = "junos", _("Junos OS or another vendor's product")


class ReleaseKind(TextChoices):
    RELEASE = "release", _("Release")
    PATCH = "patch", _("Patch")
    UPDATE = "update", _("Update")
    UPGRADE = "upgrade", _("Upgrade")


class ReleaseState(TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class ContractState(TextChoices):
    """What people decided. *In force*, *not started* and *ended* follow from the dates of an approved one."""

    DRAFT = "draft", _("Draft")
    WAITING = "waiting", _("Waiting for approval")
    REFUSED = "refused", _("Refused")
    APPROVED = "approved", _("Approved")
    TERMINATED = "terminated", _("Terminated")


class Condition(TextChoices):
    """What a contract is worth at a moment: its state, and for an approved one its dates."""

    WAITING = "waiting", _("Waiting for approval")
    REFUSED = "refused", _("Refused")
    NOT_STARTED = "not_started", _("Not started")
    IN_FORCE = "in_force", _("In force")
    ENDED = "ended", _("Ended")
    TERMINATED = "terminated", _("Terminated")
    DRAFT = "draft", _("Draft")


class Channel(TextChoices):
    DIRECT = "direct", _("Direct")
    RESELLER = "reseller", _("Through a reseller")
    DISTRIBUTOR = "distributor", _("Through a distributor")


class DocumentKind(TextChoices):
    DESIGN = "design", _("Design document")
    TEST_PLAN = "test_plan", _("Test plan")


class GoverningKind(TextChoices):
    EUSA = "eusa", _("End User Support Agreement")
    MSA = "msa", _("Master services agreement")
    LICENCE = "licence", _("Script Software License Agreement")


class AcceptedBy(TextChoices):
    """How a release became an accepted one."""

    DECLARATION = "declaration", _("Accepted")
    INSTALLATION = "installation", _("Installed")


class InstallState(TextChoices):
    OPEN = "open", _("To be installed")
    DONE = "done", _("Installed")
    CANCELLED = "cancelled", _("Cancelled")


class FileVerdict(TextChoices):
    """What an integrity check says of one file."""

    INTACT = "intact", _("Intact")
    CHANGED = "changed", _("Changed")
    MISSING = "missing", _("Missing")
    EXTRA = "extra", _("Not in the manifest")


class WorkState(TextChoices):
    OPEN = "open", _("Open")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


class RequirementSource(TextChoices):
    """Where a requirement comes from (C59)."""

    PRODUCT_DOCUMENT = "product_document", _("Product document")
    USER_GUIDE = "user_guide", _("User guide")
    RECOMMENDATION = "recommendation", _("Recommendation by support")


class Responsibility(TextChoices):
    """What an end user owes (C44 to C61), as it may be named in a written notice (C62)."""

    ACCESS = "access", _("Access to the affected network (C44)")
    CONTACTS = "contacts", _("Technical contacts (C45)")
    REMOTE_ACCESS = "remote_access", _("Remote access at the needed level (C46)")
    INSTALLING = "installing", _("Installing patches and updates as instructed (C48)")
    TRAINING = "training", _("Training and proficiency (C49, C50)")
    ACCOUNTS = "accounts", _("Notice of people who leave (C52)")
    BACKUP = "backup", _("Protection and backup of data (C54)")
    INFORMATION = "information", _("Configuration, logs and information (C56, C57, C60)")
    REQUIREMENTS = "requirements", _("Requirements identified (C58)")
    THIRD_PARTIES = "third_parties", _("Cooperation of third parties (C61)")
    OTHER = "other", _("Another responsibility")


class RequestState(TextChoices):
    WAITING = "waiting", _("Waiting")
    TAKEN_ON = "taken_on", _("Taken on")
    DUPLICATE = "duplicate", _("Known already")
    REFUSED = "refused", _("Refused")


class ImportState(TextChoices):
    CHECKING = "checking", _("Being checked")
    CHECKED = "checked", _("Checked")
    UNREADABLE = "unreadable", _("Cannot be read")
    RUNNING = "running", _("Being imported")
    DONE = "done", _("Done")


class RowVerdict(TextChoices):
    GOOD = "good", _("Can be registered")
    BAD = "bad", _("Cannot be registered")
    KNOWN = "known", _("Registered already")
    REGISTERED = "registered", _("Registered")
