"""`/admin/` shows every table to superusers and changes none; all editing is in pages, through actions."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest

# what nobody needs to read, and digests that nobody should
HIDDEN = {"password", "token_digest", "digest", "data", "session_data", "body", "search", "content"}


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Lists the first plain columns of a table, newest row first."""

    show_full_result_count = False
    list_per_page = 50
    ordering = ("-pk",)

    def _plain(self) -> list[str]:
        return [f.name for f in self.model._meta.fields if f.name not in HIDDEN][:6]

    def get_list_display(self, request: HttpRequest) -> list[str | Callable[[Any], str | bool]]:
        return [*self._plain()]

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        return [f.name for f in self.model._meta.fields if f.is_relation and f.name in self._plain()]

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [f.name for f in self.model._meta.fields if f.name in HIDDEN]

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
