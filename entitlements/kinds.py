"""The words of entitlement: priorities, clocks, and what a decision is asked for."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


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
