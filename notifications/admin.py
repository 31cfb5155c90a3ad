"""`/admin/` shows everything to superusers and changes nothing; all editing is in pages, through actions."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from notifications import models


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["kind", "subject", "recipient", "created_at"]
    list_select_related = ["recipient__user", "recipient__organisation"]


@admin.register(models.Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["key", "channel", "state", "attempts", "next_at", "sent_at"]


@admin.register(models.Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = ["delivery", "at", "outcome", "answer"]
    list_select_related = ["delivery"]


@admin.register(models.Acknowledgement)
class AcknowledgementAdmin(ReadOnlyAdmin):
    list_display = ["message", "by", "at", "how"]
    list_select_related = ["message", "by__user", "by__organisation"]


@admin.register(models.DutyPerson)
class DutyPersonAdmin(ReadOnlyAdmin):
    list_display = ["level", "membership", "starts", "ends", "zone", "delegate"]
    list_select_related = ["level", "membership__user", "membership__organisation", "delegate__user"]


admin.site.register(models.DutyLevel, ReadOnlyAdmin)
admin.site.register(models.EngineHeartbeat, ReadOnlyAdmin)
admin.site.register(models.Incident, ReadOnlyAdmin)
admin.site.register(models.JobRun, ReadOnlyAdmin)
