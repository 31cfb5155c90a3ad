"""Whether a database may be made into the demo world, and how it becomes empty again."""

from typing import Final

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models

from accounts.models import AuditEntry, ExcludedCountry, Organisation, User
from cases.models import Case
from entitlements.models import BusinessHours, Policy, PolicyRung, PolicyTarget
from files.models import StoredFile
from portal.demo import people

LOADED: Final = "demo.loaded"
"""The action of the audit entry that marks a database as the demo's."""

# What migrations ship and no world makes. Policies are taken along by TRUNCATE (their people are), and put back.
_SHIPPED: Final[tuple[type[models.Model], ...]] = (BusinessHours, ExcludedCountry)
_PUT_BACK: Final[tuple[type[models.Model], ...]] = (Policy, PolicyRung, PolicyTarget)
_APPS: Final = frozenset(
    {
        "accounts", "files", "notifications", "contracts", "entitlements", "cases", "portal",
        "account", "mfa", "usersessions", "socialaccount", "sessions",
    }
)  # fmt: skip
_LOCK: Final = 760_310_241


class RealDataError(Exception):
    """The database holds what the demo did not make; the message is one line."""


def last_load() -> AuditEntry | None:
    return AuditEntry.objects.filter(action=LOADED).order_by("-pk").first()


def check_only_demo() -> None:
    """Raises: RealDataError for people, organisations or cases that are not of the demo.

    What the demo's own people have done since it was loaded is part of the demo: nobody real can be among them,
    for mail to `.example` reaches nobody."""
    stranger = next(
        (mail for mail in User.objects.values_list("email", flat=True) if not people.is_demo_address(mail)), None
    )
    if stranger is not None:
        raise RealDataError(f"This database has real data ({stranger}); the demo world is not loaded into it.")
    other = Organisation.objects.exclude(slug__in=people.slugs()).first()
    if other is not None:
        raise RealDataError(
            f"This database has real data (the organisation {other.name}); the demo world is not loaded into it."
        )
    if last_load() is None and (Case.objects.exists() or User.objects.exists()):
        raise RealDataError(
            "This database has people or cases that the demo world did not make; it is not loaded into it."
        )


def lock() -> None:
    """One load at a time; the second waits for the first. Until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def clear() -> None:
    """Empty every table of ours but what migrations ship, with counters and sequences at their start.

    The files go first: if the load fails afterwards, the next one makes them again."""
    for stored in StoredFile.objects.all():
        stored.content.delete(save=False)
    kept = _policies_without_people()
    tables = [model._meta.db_table for model in _models()]
    quoted = ", ".join(connection.ops.quote_name(table) for table in tables)
    connection.check_constraints()  # TRUNCATE refuses while a check of this transaction is still deferred
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(f"TRUNCATE {quoted} RESTART IDENTITY CASCADE")
        for model, rows in kept:
            model._default_manager.bulk_create(rows)
        for statement in connection.ops.sequence_reset_sql(no_style(), list(_PUT_BACK)):
            cursor.execute(statement)


def _policies_without_people() -> list[tuple[type[models.Model], list[models.Model]]]:
    shipped = Policy.objects.filter(drafted_by=None, activated_by=None)
    return [
        (Policy, list(shipped)),
        (PolicyRung, list(PolicyRung.objects.filter(policy__in=shipped).order_by("pk"))),
        (PolicyTarget, list(PolicyTarget.objects.filter(policy__in=shipped).order_by("pk"))),
    ]


def _models() -> list[type[models.Model]]:
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in _APPS and model._meta.managed and model not in _SHIPPED
    ]
