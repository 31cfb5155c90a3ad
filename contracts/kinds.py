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
