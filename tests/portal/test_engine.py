# ruff: noqa: F811 - fixtures of the outbox's tests are imported, and then named as arguments
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import Organisation, User
from cases import actions
from cases.models import Case
from notifications import delivery, jobs
from notifications.models import (
    ARRIVED_STATES,
    Delivery,
    DeliveryState,
    DutyLevel,
    DutyPerson,
    EngineHeartbeat,
)
from notifications.owner import LeaseOwner
from portal import celery, embedded, engine
from portal.engine import Caller, Engine, Waker
from tests.conftest import World
from tests.notifications.conftest import (  # noqa: F401 - fixtures
    Enqueue,
    MailServer,
    enqueue,
    forbidden,
    known_kinds,
    mail_server,
    owner,
)

Call = Callable[[Collection[str]], bool]


def until(condition: Callable[[], object], seconds: float = 10) -> float:
    """Wait for it; how long it took in seconds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it never came"
        time.sleep(0.01)
    return time.monotonic() - began


# The waker


@contextmanager
def running(call: Call) -> Iterator[Waker]:
    waker = Waker(call)
    waker.start()
    yield waker
    waker.stop()
    waker.join(5)
    assert not waker.is_alive()


def test_a_call_that_arrives_is_trusted_and_calls_for_one_queue_become_one() -> None:
    calls: list[list[str]] = []
    hold = threading.Event()

    def call(queues: Collection[str]) -> bool:
        calls.append(list(queues))
        return hold.wait(5)

    with running(call) as waker:
        waker.wake(["default"])
        until(lambda: calls)
        waker.wake(["notices"])
        waker.wake(["alerts", "notices"])
        assert waker.is_trusted()
        hold.set()
        until(lambda: not waker.is_busy())
        assert calls == [["default"], ["alerts", "notices"]]
        assert waker.is_trusted()


def test_a_broker_that_hangs_is_not_trusted_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BROKER_SECONDS", 0.1)
    frozen = threading.Event()
    with running(lambda queues: frozen.wait(5)) as waker:
        waker.wake(["alerts"])
        assert 0.05 < until(lambda: not waker.is_trusted()) < 1
        frozen.set()
        until(waker.is_trusted)


def test_a_broker_that_refuses_is_not_trusted_until_it_takes_a_call_again() -> None:
    works = False

    def call(queues: Collection[str]) -> bool:
        if not works:
            raise ConnectionRefusedError
        return True

    with running(call) as waker:
        waker.wake(["alerts"])
        until(lambda: not waker.is_busy())
        assert not waker.is_trusted()
        works = True
        waker.wake(["alerts"])
        until(waker.is_trusted)


# One pass


class Told(Waker):
    """A waker that never runs: it remembers what it was asked, and is trusted or not."""

    def __init__(self, trusted: bool) -> None:
        super().__init__(lambda queues: True)
        self.trusted = trusted
        self.asked: list[set[str]] = []

    def wake(self, queues: Collection[str]) -> None:
        self.asked.append(set(queues))

    def is_trusted(self) -> bool:
        return self.trusted


def test_what_is_due_is_left_to_the_workers_while_they_can_be_woken(
    enqueue: Enqueue, alice: User, owner: int
) -> None:
    enqueue(alice, kind="test_alert", now=timezone.now())
    waker = Told(trusted=True)
    done = Engine(waker).run_pass(owner)
    assert "delivered" not in done
    assert waker.asked == [{"alerts"}]


@pytest.mark.parametrize(("trusted", "age"), [(False, timedelta(0)), (True, timedelta(seconds=3))])
def test_the_engine_delivers_by_itself_when_nobody_else_does(
    enqueue: Enqueue, alice: User, owner: int, mail_server: MailServer, trusted: bool, age: timedelta
) -> None:
    enqueue(alice, kind="test_alert", now=timezone.now() - age)
    done = Engine(Told(trusted)).run_pass(owner)
    assert done["delivered"] == {"leased": 2, "confirmed": 1, "sent": 1}
    assert mail_server.recipients == ["alice@acme.example"]


def test_a_pass_with_nothing_due_wakes_nobody_and_shows_that_the_engine_lives(owner: int) -> None:
    waker = Told(trusted=False)
    assert Engine(waker).run_pass(owner) == {}
    assert waker.asked == []
    assert EngineHeartbeat.objects.get().runner == "engine"


def test_what_a_dead_runner_held_is_found_without_anything_else_being_due(
    enqueue: Enqueue, alice: User, owner: int, mail_server: MailServer
) -> None:
    enqueue(alice)
    with LeaseOwner() as doomed:
        delivery.lease(limit=2, owner=doomed.id)
    done = Engine(Told(trusted=False)).run_pass(owner)
    assert (done["reclaimed"], done["delivered"]["sent"]) == (2, 1)


def test_registered_jobs_run_in_a_pass(owner: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_jobs", {})
    jobs.register("claim", jobs.EVERY_PASS, lambda now: {"fired": 1})
    assert Engine(Told(trusted=True)).run_pass(owner) == {"claim": {"fired": 1}}


def test_a_tick_is_one_pass_and_tells_in_json_what_it_did(
    enqueue: Enqueue,
    alice: User,
    mail_server: MailServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "_jobs", {})
    enqueue(alice)
    call_command("tick")
    assert capsys.readouterr().out == (
        '{"jobs": {}, "deliveries": {"leased": 2, "confirmed": 1, "sent": 1}}\n'
    )


# Settings of Celery


def test_timeouts_rise_from_the_innermost_outwards(settings: Any) -> None:
    celery.check_timeouts()
    assert celery.LEASE == delivery.LEASE_SECONDS
    settings.EMAIL_TIMEOUT = 50
    with pytest.raises(ImproperlyConfigured, match="EMAIL_TIMEOUT"):
        celery.check_timeouts()


def test_celery_has_no_memory_of_its_own() -> None:
    celery.app.loader.import_default_modules()
    conf = celery.app.conf
    assert conf.result_backend is None
    assert not conf.task_always_eager
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert {entry["schedule"] for entry in conf.beat_schedule.values()} == {5, 30}
    assert {entry["task"] for entry in conf.beat_schedule.values()} <= set(celery.app.tasks)


# With a real broker, frozen and stopped


@pytest.fixture
def valkey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A broker of our own; the number of its process."""
    before = os.environ.get("PORTAL_VAR")
    monkeypatch.setenv("PORTAL_VAR", str(tmp_path / "var"))
    embedded.make_places()
    embedded.start_valkey()
    pid = int((tmp_path / "var" / "run" / "valkey.pid").read_text())
    monkeypatch.setattr(celery.app.conf, "broker_url", embedded.redis_url())
    yield pid
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
    monkeypatch.setenv("PORTAL_VAR", str(tmp_path / "var"))
    embedded.stop_valkey()
    if before is not None:
        monkeypatch.setenv("PORTAL_VAR", before)


def test_calls_reach_the_broker_until_they_pile_up_unread(valkey: int) -> None:
    caller = Caller()
    assert all(caller.call(["alerts"]) for _ in range(engine.MOST_CALLS_WAITING))
    assert caller.call(["alerts"]) is False
    assert caller.call(["notices"]) is True
    caller.hang_up()


def test_a_frozen_broker_is_noticed_and_so_is_its_return(valkey: int) -> None:
    caller = Caller()
    with running(caller.call) as waker:
        waker.wake(["alerts"])
        until(lambda: not waker.is_busy())
        assert waker.is_trusted()
        os.kill(valkey, signal.SIGSTOP)
        waker.wake(["alerts"])
        assert until(lambda: not waker.is_trusted()) < 2
        os.kill(valkey, signal.SIGCONT)

        def tries_again() -> bool:
            waker.wake(["alerts"])
            time.sleep(0.1)
            return waker.is_trusted()

        until(tries_again, 15)
    caller.hang_up()


# The whole, as processes: a P1 opened, to the mail accepted by the mail server


@contextmanager
def process(words: list[str], env: dict[str, str]) -> Iterator[None]:
    """A process of ours, which ends with 0 when it is asked to."""
    with subprocess.Popen([sys.executable, *words], env=env, cwd=django_settings.BASE_DIR) as child:
        try:
            yield
            child.send_signal(signal.SIGTERM)
            assert child.wait(15) == 0
        finally:
            child.kill()


@pytest.fixture
def environment(mail_server: MailServer, valkey: int) -> dict[str, str]:
    """What makes a process work on this test's database, broker and mail server."""
    settings = connection.settings_dict
    host = settings["HOST"]
    place = f"/{quote(host, safe='')}" if host.startswith("/") else host
    port = f":{settings['PORT']}" if settings["PORT"] else ""
    person = ":".join(quote(word, safe="") for word in (settings["USER"], settings["PASSWORD"]) if word)
    return {
        **os.environ,
        "DATABASE_URL": f"postgres://{person}@{place}{port}/{settings['NAME']}",
        "REDIS_URL": embedded.redis_url(),
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_server.port}",
    }


@pytest.fixture
def open_p1(world: World, acme: Organisation, alice: User, lena: User) -> Callable[[], Case]:
    """Alice opens a P1 case; Lena is the duty manager."""
    level, _ = DutyLevel.objects.get_or_create(level=1, defaults={"name": "Duty manager"})
    DutyPerson.objects.create(level=level, membership=lena.acting)

    def _open() -> Case:
        return actions.open_case(
            organisation=acme,
            site=world.site,
            software=world.software,
            release=world.release,
            synopsis="Core down",
            description="Nothing answers.",
            priority="P1",
            environment="production",
            backup_confirmed=True,
            by=alice,
            now=timezone.now(),
        )

    return _open


def seconds_to_the_mail(open_p1: Callable[[], Case], mail_server: MailServer) -> float:
    known = len(mail_server.mails)
    case = open_p1()
    took = until(lambda: len(mail_server.mails) > known, 15)
    assert case.number in mail_server.mails[-1]["Subject"]
    assert mail_server.recipients[-1] == "lena@jtac.example"
    return took


WORKER = [
    "-m",
    "celery",
    "-A",
    "portal",
    "worker",
    "--pool",
    "solo",
    "-Q",
    "alerts,notices,default",
    "-l",
    "error",
]
WORKER += ["--without-gossip", "--without-mingle", "--without-heartbeat"]


@pytest.mark.clause("C22")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_p1_reaches_the_duty_manager_in_seconds_with_the_broker_well_frozen_and_gone(
    open_p1: Callable[[], Case], mail_server: MailServer, environment: dict[str, str], valkey: int
) -> None:
    with process(["manage.py", "alert_engine"], environment):
        until(EngineHeartbeat.objects.exists, 30)
        assert (
            seconds_to_the_mail(open_p1, mail_server) < 4
        )  # no worker: the engine's patience is two seconds
        os.kill(valkey, signal.SIGSTOP)
        assert seconds_to_the_mail(open_p1, mail_server) < 4
        assert seconds_to_the_mail(open_p1, mail_server) < 1.5  # known to be frozen: no waiting
        os.kill(valkey, signal.SIGKILL)
        assert seconds_to_the_mail(open_p1, mail_server) < 4
        until(lambda: not Delivery.objects.exclude(state__in=ARRIVED_STATES).exists())
        with connection.cursor() as cursor:  # and then its own connections to the database are cut
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.rowcount >= 2
        assert seconds_to_the_mail(open_p1, mail_server) < 5
    ids = [mail["Message-ID"] for mail in mail_server.mails]
    assert len(set(ids)) == len(ids) == 5


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_worker_that_is_called_delivers_at_once(
    open_p1: Callable[[], Case], mail_server: MailServer, environment: dict[str, str]
) -> None:
    caller = Caller()
    with process(WORKER, environment):
        caller.call(["alerts"])
        open_p1()
        until(lambda: caller.call(["alerts"]) and mail_server.mails, 30)
        open_p1()
        caller.call(["alerts"])
        assert until(lambda: len(mail_server.mails) == 2, 15) < 2
    caller.hang_up()
    states = set(Delivery.objects.filter(message__kind="case_alert").values_list("state", flat=True))
    assert states == {DeliveryState.SENT, DeliveryState.CONFIRMED}
