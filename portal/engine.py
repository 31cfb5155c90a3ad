"""The engine loop: hears of new outbox rows, runs what is due, and sees to it that it gets delivered.

It wakes the Celery workers and lets them do the work. Where waking fails, or the oldest due row has waited for
more than two seconds, it does the work itself: PostgreSQL alone is enough for every alert.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from django.db import Error, connections
from django.utils import timezone

from notifications import delivery, jobs, outbox
from notifications.actions import record_heartbeat
from notifications.kinds import Queue
from notifications.owner import LeaseOwner
from portal.celery import app

log = logging.getLogger(__name__)

PASS_SECONDS = 1.0
HURRIED_PASS_SECONDS = 0.2
# A due row older than this is not waiting for a worker any more.
PATIENCE = timedelta(seconds=2)
# A broker that has not taken a call after so long is frozen.
BROKER_SECONDS = 1.0
# So many calls lie unread: nobody is listening.
MOST_CALLS_WAITING = 50
WORK_SECONDS = 3.0
HEARTBEAT_SECONDS = 5.0
CALL_EXPIRES_SECONDS = 30


class Caller:
    """Puts wake-up calls into the broker over a connection of its own."""

    def __init__(self) -> None:
        self._connection: Any = None

    def call(self, queues: Collection[str]) -> bool:
        """One call into each queue; False if they pile up there unread.

        Raises: whatever the broker's client raises; the next call begins with a new connection."""
        try:
            arrived = [self._call(queue) for queue in queues]
            return all(arrived)
        except Exception:
            self.hang_up()
            raise

    def _call(self, queue: str) -> bool:
        if self._connection is None:
            options = {"socket_timeout": BROKER_SECONDS, "socket_connect_timeout": BROKER_SECONDS}
            self._connection = app.connection_for_write(transport_options=options)
        waiting = self._connection.default_channel.queue_declare(queue).message_count
        if waiting >= MOST_CALLS_WAITING:
            return False
        app.send_task(
            "notifications.tasks.deliver",
            args=[queue],
            queue=queue,
            connection=self._connection,
            retry=False,
            expires=CALL_EXPIRES_SECONDS,
            ignore_result=True,
        )
        return True

    def hang_up(self) -> None:
        """Drop the connection without waiting for an answer."""
        if self._connection is not None:
            self._connection.collect()
            self._connection = None


class Waker(threading.Thread):
    """Calls workers beside the loop, so that a broker that hangs never holds the loop up."""

    def __init__(self, call: Callable[[Collection[str]], bool]) -> None:
        super().__init__(name="waker", daemon=True)
        self._call = call
        self._news = threading.Condition()
        self._wanted: set[str] = set()
        self._asked_at: float | None = None
        self._worked = True
        self._stopped = False

    def wake(self, queues: Collection[str]) -> None:
        """Have the workers of these queues called soon; calls for one queue that were not made yet become one."""
        with self._news:
            self._wanted |= set(queues)
            if self._asked_at is None:
                self._asked_at = time.monotonic()
            self._news.notify()

    def is_trusted(self) -> bool:
        """Whether the last call arrived and none has been on its way for longer than a second."""
        with self._news:
            is_stuck = self._asked_at is not None and time.monotonic() - self._asked_at > BROKER_SECONDS
            return self._worked and not is_stuck

    def is_busy(self) -> bool:
        with self._news:
            return self._asked_at is not None

    def stop(self) -> None:
        with self._news:
            self._stopped = True
            self._news.notify()

    def run(self) -> None:
        while queues := self._next():
            worked = self._try(queues)
            with self._news:
                self._worked = worked
                self._asked_at = time.monotonic() if self._wanted else None

    def _next(self) -> list[str]:
        """The queues to call, alerts first; empty when it is time to stop."""
        with self._news:
            self._news.wait_for(lambda: self._wanted or self._stopped)
            queues = [name for name in Queue.values if name in self._wanted]
            self._wanted.clear()
            return [] if self._stopped else queues

    def _try(self, queues: Collection[str]) -> bool:
        try:
            return self._call(queues)
        except Exception as error:  # noqa: BLE001 - whatever the client raises, the waker goes on
            if self._worked:
                log.warning("Workers cannot be woken, the engine delivers by itself: %s", error)
            return False


class Engine:
    """One runner. Any number of them may run at once."""

    def __init__(self, waker: Waker) -> None:
        self._waker = waker
        self._beaten_at = float("-inf")

    def run(self, stopping: threading.Event) -> None:
        """Pass after pass until asked to stop; a database that is gone is waited for."""
        while not stopping.is_set():
            try:
                self._run_connected(stopping)
            except Error as error:
                log.warning("The database is gone, waiting for it: %s", str(error).strip())
                connections.close_all()
                stopping.wait(1.0)

    def _run_connected(self, stopping: threading.Event) -> None:
        with LeaseOwner(listens=True) as owner:
            while not stopping.is_set():
                owner.wait(HURRIED_PASS_SECONDS if self._waker.is_busy() else PASS_SECONDS)
                self.run_pass(owner.id)

    def run_pass(self, owner: int) -> dict[str, Any]:
        """Run due jobs, then have what is due delivered, by a worker or here; what was done."""
        now = timezone.now()
        done: dict[str, Any] = dict(jobs.run_due(now))
        if reclaimed := delivery.reclaim():
            done["reclaimed"] = reclaimed
        ages = outbox.due_ages()
        if ages:
            self._waker.wake(ages.keys())
        if ages and (max(ages.values()) > PATIENCE or not self._waker.is_trusted()):
            done["delivered"] = delivery.run_until_idle(owner, seconds=WORK_SECONDS)
        self._beat(done)
        return done

    def _beat(self, done: dict[str, Any]) -> None:
        if time.monotonic() - self._beaten_at >= HEARTBEAT_SECONDS:
            record_heartbeat(runner="engine", detail=done, now=timezone.now())
            self._beaten_at = time.monotonic()
