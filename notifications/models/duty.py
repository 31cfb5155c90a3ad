"""Who is on duty at which level of management."""

from typing import TYPE_CHECKING, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, User

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager


def every_day() -> list[int]:
    return list(range(7))


class DutyLevelQuerySet(models.QuerySet["DutyLevel"]):
    def visible_to(self, user: User) -> Self:
        return self if user.is_vendor_staff else self.none()


class DutyLevel(models.Model):
    """A level of management that alerts climb through (C22): 1 duty manager, then upward."""

    level = models.PositiveSmallIntegerField(_("level"), unique=True)
    name = models.CharField(_("name"), max_length=80)

    objects = DutyLevelQuerySet.as_manager()

    if TYPE_CHECKING:
        people: RelatedManager["DutyPerson"]

    class Meta:
        verbose_name = _("duty level")
        constraints = [
            models.CheckConstraint(
                condition=Q(level__gte=1, level__lte=4),
                name="notifications_dutylevel_is_between_one_and_four",
            ),
        ]

    def __str__(self) -> str:
        return f"L{self.level} {self.name}"


class DutyPersonQuerySet(models.QuerySet["DutyPerson"]):
    def visible_to(self, user: User) -> Self:
        return self if user.is_vendor_staff else self.none()


class DutyPerson(models.Model):
    """Somebody of a level, with hours (regions follow the sun) and a delegate for absence.

    `starts` and `ends` are wall-clock times in `zone`, half-open; empty means round the clock; an end before
    the start is on the next day. `weekdays` (Monday 0) are those on which the hours start."""

    level = models.ForeignKey(DutyLevel, on_delete=models.PROTECT, related_name="people")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="duties")
    starts = models.TimeField(_("from"), null=True, blank=True)
    ends = models.TimeField(_("until"), null=True, blank=True)
    weekdays = ArrayField(models.PositiveSmallIntegerField(), default=every_day, verbose_name=_("days"))
    zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    delegate = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="delegated_duties"
    )
    absent_from = models.DateTimeField(_("absent from"), null=True, blank=True)
    absent_until = models.DateTimeField(_("absent until"), null=True, blank=True)

    objects = DutyPersonQuerySet.as_manager()

    if TYPE_CHECKING:
        membership_id: int
        delegate_id: int | None

    class Meta:
        verbose_name = _("person on duty")
        verbose_name_plural = _("people on duty")
        constraints = [
            models.UniqueConstraint(
                fields=["level", "membership", "starts"],
                nulls_distinct=False,
                name="notifications_dutyperson_is_once_per_level_and_start",
            ),
            models.CheckConstraint(
                condition=Q(starts__isnull=True, ends__isnull=True)
                | (Q(starts__isnull=False, ends__isnull=False) & ~Q(starts=F("ends"))),
                name="notifications_dutyperson_hours_have_both_ends",
            ),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=every_day(), weekdays__len__gt=0),
                name="notifications_dutyperson_weekdays_are_known_and_not_empty",
            ),
            models.CheckConstraint(
                condition=Q(absent_until__isnull=True)
                | Q(absent_from__isnull=False, absent_until__gt=F("absent_from")),
                name="notifications_dutyperson_absence_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(delegate__isnull=True) | ~Q(delegate=F("membership")),
                name="notifications_dutyperson_delegate_is_somebody_else",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.level} {self.membership}"
