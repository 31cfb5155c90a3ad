"""`python -m bench.acts`: what writes cost beside their bare statements, as JSON on standard output.

An act runs and is rolled back; the INSERT and UPDATE statements it made are the floor: they run again, without
anything between them, and are rolled back too. No commit is in either, so that the disk is not what is measured.
"""

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from bench import words  # noqa: E402
from cases import actions  # noqa: E402
from cases.models import Case  # noqa: E402
from contracts.models import Acceptance  # noqa: E402
from notifications import jobs  # noqa: E402

RUNS = 60
_WRITES = ("INSERT", "UPDATE", "WITH")


def undone(act: Callable[[], object]) -> float:
    """Seconds that the act took; nothing of it stays."""
    began = time.perf_counter()
    with transaction.atomic():
        act()
        transaction.set_rollback(True)
    return time.perf_counter() - began


def statements_of(act: Callable[[], object]) -> tuple[int, list[tuple[str, Any]]]:
    """How many statements the act makes, and those that write."""
    count, writes = 0, []

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal count
        if not sql.startswith(("SAVEPOINT", "RELEASE")):
            count += 1
        if sql.lstrip().startswith(_WRITES) and not many:
            writes.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        undone(act)
    return count, writes


def replay(writes: list[tuple[str, Any]]) -> None:
    with connection.cursor() as cursor:
        for sql, params in writes:
            cursor.execute(sql, params)


def measured(act: Callable[[], object]) -> dict[str, float]:
    undone(act)
    count, writes = statements_of(act)
    undone(lambda: replay(writes))
    acts, floors = [], []
    for _run in range(RUNS):
        acts.append(undone(act))
        floors.append(undone(lambda: replay(writes)))
    acts.sort()
    return {
        "p50": statistics.median(acts) * 1000,
        "p95": acts[int(0.95 * len(acts))] * 1000,
        "floor": statistics.median(floors) * 1000,
        "queries": count,
    }


def person(email: str) -> User:
    user = User.objects.get(email=email)
    user.acting = user.memberships.select_related("organisation", "user").get()
    user.own_memberships = (user.acting,)
    return user


def main() -> None:
    customer = person(words.CUSTOMER)
    assert customer.acting is not None
    organisation = customer.acting.organisation
    accepted = Acceptance.objects.filter(organisation=organisation).select_related("release", "software")[0]
    site = organisation.sites.get()

    def open_case() -> object:
        return actions.open_case(
            organisation=organisation,
            site=site,
            software=accepted.software,
            release=accepted.release,
            synopsis="Both controllers restart",
            description="The controller in Seoul restarts every ten minutes. " * 10,
            priority="P2",
            environment="production",
            backup_confirmed=True,
            by=customer,
            now=timezone.now(),
        )

    case = Case.objects.filter(organisation=organisation).open().order_by("-pk")[0]

    def reply() -> object:
        return actions.reply(case=case, body="The logs are attached. " * 20, by=customer, now=timezone.now())

    idle = sorted(_tick() for _run in range(RUNS))
    print(
        json.dumps(
            {
                "open a case": measured(open_case),
                "reply": measured(reply),
                "tick with nothing due": {
                    "p50": statistics.median(idle) * 1000,
                    "p95": idle[int(0.95 * len(idle))] * 1000,
                    "floor": 0,
                    "queries": _tick_queries(),
                },
            }
        )
    )


def _tick() -> float:
    began = time.perf_counter()
    jobs.run_due(timezone.now())
    return time.perf_counter() - began


def _tick_queries() -> int:
    return statements_of(lambda: jobs.run_due(timezone.now()))[0]


if __name__ == "__main__":
    main()
