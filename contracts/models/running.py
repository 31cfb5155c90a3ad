"""What runs at an end user: licences accepted, install tasks, integrity checks, and drift from the accepted code."""

from datetime import datetime
from typing import Any, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts.kinds import InstallState
from contracts.models.contract import GoverningDocument
from contracts.models.software import Release, ReleaseLine, Software
from files.models import StoredFile


class OfOrganisationQuerySet(models.QuerySet[Any]):
    """Rows that carry an `organisation`: its own people and staff see them, a partner does not."""

    def visible_to(self, user: User) -> Self:
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.CONTRACT_VIEW_ALL):
            return self
        return self.filter(organisation_id=acting.organisation_id)


class LicenceAcceptance(models.Model):
    """Somebody of an end user accepted a licence, in this version, before the first download under it (C5)."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="licence_acceptances"
    )
    licence = models.ForeignKey(GoverningDocument, on_delete=models.PROTECT, related_name="acceptances")
    accepted_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField(_("accepted"))

    objects = OfOrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("acceptance of a licence")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "licence"], name="contracts_licenceacceptance_is_once_per_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} {self.licence}"


class InstallTaskQuerySet(OfOrganisationQuerySet):
    def open(self) -> Self:
        return self.filter(state=InstallState.OPEN)


class InstallTask(models.Model):
    """JTAC or Professional Services ask an end user to install a patch or update, by a day in its zone (C48).

    Done, it moves the accepted release of the line forward."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="install_tasks")
    software = models.ForeignKey(Software, on_delete=models.PROTECT, related_name="install_tasks")
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="install_tasks")
    instruction = models.TextField(_("instruction"), max_length=8000)
    due_on = models.DateField(_("install by"))
    state = models.CharField(
        _("state"), max_length=10, choices=InstallState.choices, default=InstallState.OPEN
    )
    created_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("asked"))
    done_on = models.DateField(_("installed on"), null=True, blank=True)
    closed_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closing_note = models.CharField(_("note"), max_length=400, blank=True)

    objects = InstallTaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("install task")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=InstallState.values), name="contracts_installtask_state_is_known"
            ),
            models.UniqueConstraint(
                fields=["organisation", "release"],
                condition=Q(state=InstallState.OPEN),
                name="contracts_installtask_is_open_once_per_release",
            ),
            models.CheckConstraint(
                condition=Q(state=InstallState.OPEN, closed_at__isnull=True, closed_by__isnull=True)
                | (~Q(state=InstallState.OPEN) & Q(closed_at__isnull=False, closed_by__isnull=False)),
                name="contracts_installtask_closed_names_when_and_by_whom",
            ),
            models.CheckConstraint(
                condition=~Q(state=InstallState.DONE) | Q(done_on__isnull=False),
                name="contracts_installtask_done_names_the_day",
            ),
            models.CheckConstraint(
                condition=~Q(state=InstallState.CANCELLED) | ~Q(closing_note=""),
                name="contracts_installtask_cancelled_says_why",
            ),
        ]
        indexes = [
            # open tasks of an organisation by due day: coverage page, first screen
            models.Index(
                F("organisation"), F("due_on"), name="install_open", condition=Q(state=InstallState.OPEN)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} {self.release}"


class IntegrityCheck(models.Model):
    """A customer compared what is installed with the manifest of an accepted release (C42). Never changed again.

    `findings`: one object per file: path, verdict (intact, changed, missing, extra), is_fixed, sha256 given."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="integrity_checks")
    software = models.ForeignKey(Software, on_delete=models.PROTECT, related_name="+")
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="+")
    host = models.CharField(_("where it ran"), max_length=120, blank=True)
    checked_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    checked_at = models.DateTimeField(_("checked"))
    intact = models.PositiveIntegerField(_("intact"))
    changed = models.PositiveIntegerField(_("changed"))
    missing = models.PositiveIntegerField(_("missing"))
    extra = models.PositiveIntegerField(_("extra"))
    # changed or missing files that the manifest marks as fixed: more than none is drift
    broken = models.PositiveIntegerField(_("fixed files changed or missing"))
    findings = models.JSONField()

    objects = OfOrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("integrity check")
        constraints = [
            models.CheckConstraint(
                condition=Q(broken__lte=F("changed") + F("missing")),
                name="contracts_integritycheck_broken_are_changed_or_missing",
            ),
        ]
        indexes = [
            # checks of an organisation's software, newest first
            models.Index(F("organisation"), F("software"), F("checked_at").desc(), name="check_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.release} {self.checked_at:%Y-%m-%d}"


class DriftPeriod(Func):
    """The half-open period of a drift, open at the end while it lasts."""

    function = "tstzrange"
    output_field = DateTimeRangeField()


class DriftQuerySet(OfOrganisationQuerySet):
    def open(self) -> Self:
        return self.filter(ended_at__isnull=True)

    def locked(self, pk: int) -> "Drift":
        drift: Drift = self.select_for_update(of=("self",)).get(pk=pk)
        return drift


class Drift(models.Model):
    """What runs on a line differed from the accepted code during `[since, ended_at)` (C42, C43, C72).

    Shown by an integrity check, or claimed by a named person with evidence; ended by a later clean check, or by a
    member of staff with a reason. Not the same as who is to blame: an attempted change counts too (C72)."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="drifts")
    software = models.ForeignKey(Software, on_delete=models.PROTECT, related_name="+")
    line = models.ForeignKey(ReleaseLine, on_delete=models.PROTECT, related_name="drifts")
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField(_("since"))
    shown_by = models.OneToOneField(
        IntegrityCheck, on_delete=models.PROTECT, null=True, blank=True, related_name="drift"
    )
    evidence = models.TextField(_("evidence"), max_length=4000, blank=True)
    evidence_file = models.ForeignKey(
        StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    ended_at = models.DateTimeField(_("until"), null=True, blank=True)
    ended_by_check = models.ForeignKey(
        IntegrityCheck, on_delete=models.PROTECT, null=True, blank=True, related_name="ended_drifts"
    )
    ended_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_reason = models.CharField(_("reason"), max_length=400, blank=True)

    objects = DriftQuerySet.as_manager()

    class Meta:
        verbose_name = _("drift")
        constraints = [
            models.CheckConstraint(
                condition=Q(shown_by__isnull=False) | ~Q(evidence=""),
                name="contracts_drift_rests_on_a_check_or_on_evidence",
            ),
            models.CheckConstraint(
                condition=Q(since__lte=F("recorded_at")), name="contracts_drift_is_not_claimed_for_the_future"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gt=F("since")),
                name="contracts_drift_ends_after_it_began",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, ended_by_check__isnull=True)
                | Q(ended_at__isnull=False, ended_by_check__isnull=False)
                | (Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(ended_reason="")),
                name="contracts_drift_end_names_a_check_or_who_and_why",
            ),
            ExclusionConstraint(
                name="contracts_drift_periods_of_a_line_never_overlap",
                expressions=[
                    ("organisation", RangeOperators.EQUAL),
                    ("line", RangeOperators.EQUAL),
                    (DriftPeriod("since", "ended_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} {self.line}"

    def is_on_at(self, at: datetime) -> bool:
        """Whether the drift lasts at `at` (UTC)."""
        return self.since <= at and (self.ended_at is None or at < self.ended_at)
