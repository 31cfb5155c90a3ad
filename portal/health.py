"""Whether this process lives, whether it can serve, whether alerts go out; and no start on a wrong database."""

import logging
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.decorators import login_not_required
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, connections
from django.db import Error as DatabaseError
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.roles import Permission
from notifications.condition import condition

log = logging.getLogger(__name__)

# Korean for "report of a disturbance": a database that finds no trigram in it finds no Korean case.
KOREAN = "장애접수"
# Databases seen migrated by this process: that does not come undone.
_migrated_aliases: set[str] = set()


def has_korean_trigrams(alias: str = DEFAULT_DB_ALIAS) -> bool | None:
    """Whether the database takes Hangul for letters; None while pg_trgm is not installed yet."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        if cursor.fetchone() is None:
            return None
        cursor.execute("SELECT show_trgm(%s) <> '{}'", [KOREAN])
        row = cursor.fetchone()
    return bool(row and row[0])


@register(Tags.database)
def check_trigrams(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse a database whose character type is C: search would find no Korean word."""
    wrong = [alias for alias in databases or () if has_korean_trigrams(alias) is False]
    return [
        Error(
            f"The database {alias!r} finds no trigrams in Korean text.",
            hint="Create it with LC_CTYPE 'C.UTF-8' (or another UTF-8 locale); with 'C' search is blind.",
            id="portal.E001",
        )
        for alias in wrong
    ]


def what_is_missing() -> str:
    """Why this process cannot serve, in one word; empty when it can."""
    try:
        if not _migrated():
            return "migrations"
        return "" if has_korean_trigrams() else "trigrams"
    except DatabaseError:
        log.warning("The database does not answer", exc_info=True)
        return "database"


def _migrated() -> bool:
    if DEFAULT_DB_ALIAS in _migrated_aliases:
        return True
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    _migrated_aliases.add(DEFAULT_DB_ALIAS)
    return True


@login_not_required
@require_safe
@never_cache
def health_live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
@never_cache
def health_ready(request: HttpRequest) -> JsonResponse:
    """The process can serve: database there, migrated, and of the right kind."""
    missing = what_is_missing()
    body = {"status": "unready", "missing": missing} if missing else {"status": "ok"}
    return JsonResponse(body, status=503 if missing else 200)


@login_not_required
@require_safe
@never_cache
def health_engine(request: HttpRequest) -> JsonResponse:
    """Alerts go out: a runner made a round lately and nothing due waits for long. Figures are for staff only."""
    try:
        found = condition(timezone.now())
    except DatabaseError:
        log.warning("The database does not answer", exc_info=True)
        return JsonResponse({"status": "late"}, status=503)
    body: dict[str, Any] = {"status": "ok" if found.is_ok else "late"}
    if isinstance(request.user, User) and request.user.can(Permission.ENGINE_VIEW):
        for name in ("heartbeat_age", "oldest_due"):
            age = getattr(found, name)
            body[f"{name}_seconds"] = None if age is None else round(age.total_seconds(), 1)
    return JsonResponse(body, status=200 if found.is_ok else 503)
