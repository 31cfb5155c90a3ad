"""The words of entitlement: priorities, clocks, and what a decision is asked for."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

# kinds of messages
REQUEST_WAITING = "request_waiting"
REQUEST_DECIDED = "request_decided"


class Priority(TextChoices):
    P1 = "P1", _("P1 Critical")
    P2 = "P2", _("P2 High")
    P3 = "P3", _("P3 Medium")
    P4 = "P4", _("P4 Low")


# the high-priority problems of C22
HIGH = frozenset({Priority.P1, Priority.P2})


class Clock(TextChoices):
    ALWAYS = "24x7", _("Round the clock")
    BUSINESS = "business", _("Business hours")


class Purpose(TextChoices):
    CASE = "case", _("A case")
    DOWNLOAD = "download", _("A download")
    NOTICE = "notice", _("A notice")
    EXCEPTION = "exception", _("An exception")
    REGISTRATION = "registration", _("The registration of a contract")


class Subject(TextChoices):
    """What a request is about. All but the first are excluded from the service (C39, C69 to C73)."""

    BREAK_FIX = "break_fix", _("A fault: something that worked, or should, does not")
    UPGRADE_OR_ENHANCEMENT = "upgrade_or_enhancement", _("New or better features")
    WARRANTY = "warranty", _("A warranty")
    THIRD_PARTY_COMPONENT = "third_party_component", _("A third-party component")
    OUTSIDE_DOCUMENTS = "outside_documents", _("Use that the documents do not describe")
    MODIFICATION = "modification", _("A modification, made or attempted")
    CONSULTING = "consulting", _("A consulting deliverable")


class Exclusion(TextChoices):
    """Why support declines a case, by clause (C69 to C73); the subject is what the decision is asked about."""

    C69 = "C69", _("Warranties")
    C70 = "C70", _("Third-party components")
    C71 = "C71", _("Use outside the documents")
    C72 = "C72", _("Modified, or an attempt to")
    C73 = "C73", _("Consulting deliverable")


EXCLUDED_SUBJECT = {
    Exclusion.C69: Subject.WARRANTY,
    Exclusion.C70: Subject.THIRD_PARTY_COMPONENT,
    Exclusion.C71: Subject.OUTSIDE_DOCUMENTS,
    Exclusion.C72: Subject.MODIFICATION,
    Exclusion.C73: Subject.CONSULTING,
}


class RequestState(TextChoices):
    """Of a request for an exception: two administrators grant it, one refuses it."""

    WAITING = "waiting", _("Waiting")
    SECONDED = "seconded", _("Waiting for the second administrator")
    GRANTED = "granted", _("Granted")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class QuoteState(TextChoices):
    WAITING = "waiting", _("Waiting")
    QUOTED = "quoted", _("Quoted")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class QuoteSubject(TextChoices):
    """What is bought separately (C14, C39, C41, C51)."""

    UPGRADE = "upgrade", _("An upgrade of the software (C39)")
    ENHANCEMENT = "enhancement", _("An enhancement of the software (C39)")
    JUNOS = "junos", _("An upgrade or enhancement of Junos OS (C41)")
    DOCUMENTS = "documents", _("Work on the design document or the test plan (C14)")
    MODIFICATION = "modification", _("Work on software that was modified (C51)")


class CountryServiceKind(TextChoices):
    """Services that are not offered everywhere (C64)."""

    ADVANCE_REPLACEMENT = "advance_replacement", _("Advance replacement")
    ON_SITE = "on_site", _("On-site service")
