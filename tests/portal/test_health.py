from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import Tags, registry, run_checks
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts.models import User
from notifications import outbox
from notifications.actions import record_heartbeat
from portal import health
from tests.conftest import SignIn


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/health/engine"])
def test_health_needs_no_sign_in_and_is_never_kept(db: None, path: str) -> None:
    response = Client().get(path)
    assert response.status_code in (200, 503)
    assert "no-cache" in response.headers["Cache-Control"]
    assert Client().post(path).status_code == 405


def test_a_process_that_answers_is_alive_and_asks_the_database_nothing(
    django_assert_num_queries: Any,
) -> None:
    assert Client().get("/health/live").json() == {"status": "ok"}


def test_it_is_ready_when_the_database_is_migrated_and_knows_korean(db: None) -> None:
    response = Client().get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_it_is_not_ready_before_migrations_ran(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated_aliases", set())
    with connections["default"].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'notifications'")
    response = Client().get("/health/ready")
    assert (response.status_code, response.json()["missing"]) == (503, "migrations")


def another_connection(database: str) -> Any:
    connection = connections.create_connection("default")
    connection.settings_dict = {**connection.settings_dict, "NAME": database}
    return connection


@pytest.fixture
def blind(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The alias of a database whose character type is C, though its provider is UTF-8."""
    name = f"{connections['default'].settings_dict['NAME']}_blind"
    maintenance = another_connection("postgres")
    with maintenance.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(
            f"CREATE DATABASE \"{name}\" TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
            " LC_CTYPE 'C' LC_COLLATE 'C'"
        )
    connection = another_connection(name)
    monkeypatch.setattr(health, "connections", {"blind": connection, "default": connections["default"]})
    yield "blind"
    connection.close()
    with maintenance.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}"')
    maintenance.close()


def test_a_database_that_takes_hangul_for_no_letters_is_refused(blind: str) -> None:
    assert health.check_trigrams(None, databases=[blind]) == []  # nothing can be said before pg_trgm is there
    with health.connections[blind].cursor() as cursor:
        cursor.execute("CREATE EXTENSION pg_trgm")
    (error,) = health.check_trigrams(None, databases=[blind])
    assert (error.id, "C.UTF-8" in str(error.hint)) == ("portal.E001", True)


def test_the_check_runs_wherever_databases_are_checked_and_passes_here(db: None) -> None:
    assert health.check_trigrams in registry.registry.registered_checks
    assert "portal.E001" not in {e.id for e in run_checks(tags=[Tags.database], databases=["default"])}


def test_the_engine_is_late_until_somebody_made_a_round(db: None) -> None:
    response = Client().get("/health/engine")
    assert (response.status_code, response.json()) == (503, {"status": "late"})
    record_heartbeat(runner="engine", detail={}, now=timezone.now() - timedelta(seconds=31))
    assert Client().get("/health/engine").status_code == 503
    record_heartbeat(runner="worker", detail={}, now=timezone.now())
    assert (Client().get("/health/engine").status_code, Client().get("/health/engine").json()) == (
        200,
        {"status": "ok"},
    )


@pytest.mark.attack("operations pages without rights")
def test_figures_are_for_staff_only(sam: User, alice: User, sign_in: SignIn) -> None:
    record_heartbeat(runner="engine", detail={}, now=timezone.now())
    assert sign_in(sam).get("/health/engine").json().keys() == {
        "status",
        "heartbeat_age_seconds",
        "oldest_due_seconds",
    }
    assert sign_in(alice).get("/health/engine").json() == {"status": "ok"}


def test_a_heartbeat_alone_is_not_health_when_something_due_waits(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_heartbeat(runner="engine", detail={}, now=timezone.now())
    monkeypatch.setattr("notifications.condition.due_ages", lambda: {"alerts": timedelta(seconds=61)})
    assert Client().get("/health/engine").status_code == 503
    assert outbox.due_ages() == {}
