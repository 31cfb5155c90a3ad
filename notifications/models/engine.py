"""What the engine leaves behind: that it lives, what it ran, and what went wrong."""

from typing import Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.roles import Permission


class EngineHeartbeatQuerySet(models.QuerySet["EngineHeartbeat"]):
    def visible_to(self, user: User) -> Self:
        return self if user.can(Permission.ENGINE_VIEW) else self.none()


class EngineHeartbeat(models.Model):
    """A runner was alive and came through its round: the engine loop, a worker, a tick by hand."""

    runner = models.CharField(_("runner"), max_length=40, unique=True)
    at = models.DateTimeField(_("last seen"))
    detail = models.JSONField(_("last round"), default=dict)

    objects = EngineHeartbeatQuerySet.as_manager()

    class Meta:
        verbose_name = _("heartbeat")

    def __str__(self) -> str:
        return self.runner


class IncidentQuerySet(models.QuerySet["Incident"]):
    def visible_to(self, user: User) -> Self:
        return self if user.can(Permission.ENGINE_VIEW) else self.none()


class Incident(models.Model):
    """Something that should not happen and that staff must look at: nobody on duty, a job that failed."""

    at = models.DateTimeField(_("at"))
    kind = models.CharField(_("kind"), max_length=60)
    detail = models.JSONField(_("detail"), default=dict, encoder=DjangoJSONEncoder)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("incident")
        indexes = [
            # /engine/, newest first
            models.Index(F("at").desc(), F("id").desc(), name="incident_newest"),
        ]

    def __str__(self) -> str:
        return self.kind


class JobRunQuerySet(models.QuerySet["JobRun"]):
    def visible_to(self, user: User) -> Self:
        return self if user.can(Permission.ENGINE_VIEW) else self.none()


class JobRun(models.Model):
    """When a periodic job last ran; won by a conditional update, so that two engines do not double it."""

    name = models.CharField(_("job"), max_length=80, unique=True)
    last_at = models.DateTimeField(_("last run"))

    objects = JobRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")

    def __str__(self) -> str:
        return self.name
