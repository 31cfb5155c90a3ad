"""The versioned policy (targets and rungs), and business hours."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from entitlements.kinds import Clock, Priority

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager


class PolicyQuerySet(models.QuerySet["Policy"]):
    def in_force_at(self, at: datetime) -> "Policy":
        """The version that new ladders follow. Running cases keep the one they started on."""
        return self.filter(activated_at__lte=at).order_by("-activated_at", "-version")[0]


class Policy(models.Model):
    """A version of targets and escalation rungs. Never edited in place once it is active (C22, C24)."""

    version = models.PositiveIntegerField(_("version"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    drafted_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    activated_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    activated_at = models.DateTimeField(_("active since"), null=True, blank=True)

    objects = PolicyQuerySet.as_manager()

    if TYPE_CHECKING:
        rungs: RelatedManager["PolicyRung"]
        targets: RelatedManager["PolicyTarget"]

    class Meta:
        verbose_name = _("escalation policy")
        verbose_name_plural = _("escalation policies")
        constraints = [
            models.CheckConstraint(
                condition=Q(activated_by__isnull=True) | ~Q(activated_by=F("drafted_by")),
                name="entitlements_policy_is_not_activated_by_its_drafter",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class PolicyRung(models.Model):
    """Who is alerted when: level L of a case at this priority, so many minutes after its cycle starts."""

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="rungs")
    priority = models.CharField(max_length=2, choices=Priority.choices)
    level = models.PositiveSmallIntegerField(_("level"))
    after_minutes = models.PositiveIntegerField(_("after (minutes)"))
    clock = models.CharField(_("clock"), max_length=10, choices=Clock.choices)
    # unacknowledged for so long, the next level is alerted ahead of its hour; empty: no early climb
    acknowledge_minutes = models.PositiveIntegerField(
        _("acknowledge within (minutes)"), null=True, blank=True
    )

    class Meta:
        verbose_name = _("rung")
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "priority", "level"],
                name="entitlements_policyrung_level_is_once_per_priority",
            ),
            models.CheckConstraint(
                condition=Q(priority__in=Priority.values), name="entitlements_policyrung_priority_is_known"
            ),
            models.CheckConstraint(
                condition=Q(level__gte=1, level__lte=4), name="entitlements_policyrung_level_is_1_to_4"
            ),
            models.CheckConstraint(
                condition=Q(clock__in=Clock.values), name="entitlements_policyrung_clock_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.priority} L{self.level}"

    @property
    def after(self) -> timedelta:
        return timedelta(minutes=self.after_minutes)


class PolicyTarget(models.Model):
    """Targets, never guarantees (C15, C74). Minutes on the named clock; a business day counts its hours."""

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="targets")
    priority = models.CharField(max_length=2, choices=Priority.choices)
    first_response_minutes = models.PositiveIntegerField(_("first response (minutes)"))
    first_response_clock = models.CharField(max_length=10, choices=Clock.choices)
    update_minutes = models.PositiveIntegerField(_("update every (minutes)"))
    update_clock = models.CharField(max_length=10, choices=Clock.choices)

    class Meta:
        verbose_name = _("target")
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "priority"], name="entitlements_policytarget_is_once_per_priority"
            ),
            models.CheckConstraint(
                condition=Q(priority__in=Priority.values), name="entitlements_policytarget_priority_is_known"
            ),
            models.CheckConstraint(
                condition=Q(first_response_clock__in=Clock.values, update_clock__in=Clock.values),
                name="entitlements_policytarget_clocks_are_known",
            ),
        ]

    def __str__(self) -> str:
        return self.priority

    @property
    def first_response(self) -> timedelta:
        return timedelta(minutes=self.first_response_minutes)

    @property
    def update_every(self) -> timedelta:
        return timedelta(minutes=self.update_minutes)


class BusinessHours(models.Model):
    """When business minutes count at a site of this country; the row without a country is the default."""

    country = models.CharField(_("country"), max_length=2, blank=True, unique=True)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("weekdays (Monday is 0)"))
    opens = models.TimeField(_("from"))
    closes = models.TimeField(_("until"))
    extra_holidays = ArrayField(models.DateField(), default=list, blank=True, verbose_name=_("more holidays"))

    class Meta:
        verbose_name = _("business hours")
        verbose_name_plural = _("business hours")
        constraints = [
            models.CheckConstraint(
                condition=Q(closes__gt=F("opens")), name="entitlements_businesshours_close_after_they_open"
            ),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=[0, 1, 2, 3, 4, 5, 6]) & Q(weekdays__len__gt=0),
                name="entitlements_businesshours_weekdays_are_0_to_6",
            ),
        ]

    def __str__(self) -> str:
        return self.country or "default"
