"""Whether a database may be made into the demo world, and how it becomes empty again."""

from functools import partial
from typing import Final

from django.core.files.storage import default_storage
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Q

from accounts.models import AuditEntry, Organisation, User
from cases.models import Case
from entitlements.models import Policy, PolicyRung, PolicyTarget
from files.models import StoredFile
from portal.demo import people

LOADED: Final = "demo.loaded"
"""The action of the audit entry that marks a database as the demo's."""

# What migrations ship and no world makes. Policies are taken along by TRUNCATE (people hang on them) and put back.
_SHIPPED: Final = frozenset(
    {
        "accounts_excludedcountry", "contracts_glossaryterm", "contracts_reminderrule",
        "entitlements_businesshours", "entitlements_countryservice",
    }
)  # fmt: skip
_PREFIXES: Final = (
    "accounts_", "files_", "notifications_", "contracts_", "entitlements_", "cases_", "portal_",
    "account_", "mfa_", "usersessions_", "socialaccount_", "django_session",
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
        (mail for mail in User.objects.values_list("email", flat=True) if not people.is_demo_address(mail)),
        None,
    )
    if stranger is not None:
        raise RealDataError(
            f"This database has real data ({stranger}); the demo world is not loaded into it."
        )
    named_by_ours = Q(end_user_request__partner__slug__in=people.slugs())
    other = Organisation.objects.exclude(Q(slug__in=people.slugs()) | named_by_ours).first()
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

    The bytes go when the transaction has committed."""
    transaction.on_commit(partial(_forget_files, set(StoredFile.objects.values_list("content", flat=True))))
    policies = Policy.objects.filter(drafted_by=None, activated_by=None)
    rungs, targets = (
        PolicyRung.objects.filter(policy__in=policies),
        PolicyTarget.objects.filter(policy__in=policies),
    )
    shipped = list(policies), list(rungs.order_by("pk")), list(targets.order_by("pk"))
    connection.check_constraints()  # TRUNCATE refuses while a check of this transaction is still deferred
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(f"TRUNCATE {', '.join(_tables())} RESTART IDENTITY CASCADE")
        Policy.objects.bulk_create(shipped[0])
        PolicyRung.objects.bulk_create(shipped[1])
        PolicyTarget.objects.bulk_create(shipped[2])
        for statement in connection.ops.sequence_reset_sql(no_style(), [Policy, PolicyRung, PolicyTarget]):
            cursor.execute(statement)


def _forget_files(names: set[str]) -> None:
    kept = set(StoredFile.objects.filter(content__in=names).values_list("content", flat=True))
    for name in names - kept:
        default_storage.delete(name)


def _tables() -> list[str]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(
        connection.ops.quote_name(name)
        for name in names
        if name.startswith(_PREFIXES) and name not in _SHIPPED
    )
