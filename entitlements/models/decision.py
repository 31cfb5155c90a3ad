"""The record of each decision, and of each download that one allowed."""

from datetime import datetime, timedelta
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts.models import Release, ReleaseFile, ServiceContract, Software
from entitlements.kinds import Purpose


class DecisionRecordQuerySet(models.QuerySet["DecisionRecord"]):
    def visible_to(self, user: User) -> Self:
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.CONTRACT_VIEW_ALL):
            return self
        return self.filter(organisation_id=acting.organisation_id)


class DecisionRecord(models.Model):
    """One entitlement decision as it was taken: facts, question, answer, version of the rules. Append-only."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="decisions")
    software = models.ForeignKey(Software, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    release = models.ForeignKey(Release, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    contract = models.ForeignKey(
        ServiceContract, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    purpose = models.CharField(_("asked for"), max_length=20, choices=Purpose.choices)
    asked_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(_("at"))
    is_granted = models.BooleanField(_("granted"))
    rule_version = models.PositiveIntegerField()
    facts = models.JSONField()
    request = models.JSONField()
    answer = models.JSONField()

    objects = DecisionRecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("entitlement decision")
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose__in=Purpose.values), name="entitlements_decisionrecord_purpose_is_known"
            ),
            models.CheckConstraint(
                condition=Q(is_granted=False) | Q(contract__isnull=False),
                name="entitlements_decisionrecord_granted_names_its_contract",
            ),
        ]
        indexes = [
            # decisions about one organisation, newest first
            models.Index(F("organisation"), F("at").desc(), name="decision_newest"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.at:%Y-%m-%d}"


DOWNLOAD_LASTS = timedelta(hours=1)
"""Requests for the same file by the same person within it are one download: a cut line, resumed, is no second one."""


class DownloadQuerySet(models.QuerySet["Download"]):
    def same_as(self, release_file: ReleaseFile, by: Membership, now: datetime) -> Self:
        """What a request at `now` (UTC) would go on with."""
        return self.filter(release_file=release_file, membership=by, at__gt=now - DOWNLOAD_LASTS, at__lte=now)

    def visible_to(self, user: User) -> Self:
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.CONTRACT_VIEW_ALL):
            return self
        return self.filter(membership__organisation_id=acting.organisation_id)


class Download(models.Model):
    """A file of a release was fetched for an end user, by the decision of the moment it started (C33). Append-only."""

    decision = models.ForeignKey(DecisionRecord, on_delete=models.PROTECT, related_name="downloads")
    release_file = models.ForeignKey(ReleaseFile, on_delete=models.PROTECT, related_name="downloads")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("started"))

    objects = DownloadQuerySet.as_manager()

    class Meta:
        verbose_name = _("download")
        indexes = [
            # the download that a request goes on with; a person's last ones
            models.Index(F("membership"), F("release_file"), F("at").desc(), name="download_newest"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.release_file_id} {self.at:%Y-%m-%d %H:%M}"
