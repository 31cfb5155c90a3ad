"""`/admin/` shows every table to superusers and changes none; all editing is in pages, through actions."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Field, Model
from django.http import HttpRequest

# what nobody needs to read, and digests that nobody should
HIDDEN = {"password", "token_digest", "digest", "data", "session_data", "body", "search", "content"}


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Lists the first plain columns of a table, newest row first."""

    show_full_result_count = False
    list_per_page = 50
    ordering = ("-pk",)

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        plain = [f.name for f in model._meta.fields if isinstance(f, Field) and f.name not in HIDDEN]
        self.list_display = plain[:6]
        self.list_select_related = [f.name for f in model._meta.fields if f.is_relation and f.name in plain[:6]]
        self.exclude = [f.name for f in model._meta.fields if f.name in HIDDEN]
        super().__init__(model, admin_site)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def read_only_site() -> admin.AdminSite:
    """A site of its own with every model of every app; what packages register for editing is not on it."""
    site = admin.AdminSite()
    for model in apps.get_models():
        site.register(model, ReadOnlyAdmin)
    return site
