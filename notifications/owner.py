"""Who holds leases: a runner proves that it lives by a session lock on a connection of its own."""

import contextlib
import secrets
import select
from types import TracebackType
from typing import Any, Self

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from notifications.outbox import NOTIFY_CHANNEL

# The first half of the advisory lock's key; the second is the owner's id.
LOCK_SPACE = 0x6F77


class LeaseOwner:
    """A runner's proof of life, and its ear for the outbox if it listens.

    When the process dies PostgreSQL frees the lock with the connection, and its leases are void at once."""

    def __init__(self, *, listens: bool = False) -> None:
        self._connection: BaseDatabaseWrapper = connections.create_connection(DEFAULT_DB_ALIAS)
        self._connection.ensure_connection()
        self.id = self._take_lock()
        if listens:
            with self._connection.cursor() as cursor:
                cursor.execute(f"LISTEN {NOTIFY_CHANNEL}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_lock(self) -> int:
        with self._connection.cursor() as cursor:
            while True:
                candidate = secrets.randbelow(2**31)
                cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, candidate])
                if cursor.fetchone() == (True,):
                    return candidate

    def is_alive(self) -> bool:
        """Whether the connection, and with it the lock, still stands."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except Error:
            return False
        return True

    def wait(self, seconds: float) -> set[str]:
        """The queues that something was put into, as soon as there is one; empty after so many seconds.

        Raises: django.db.Error when the connection is gone."""
        raw: Any = self._connection.connection
        with self._connection.wrap_database_errors:
            raw.poll()
            if not raw.notifies:
                select.select([raw], [], [], seconds)
                raw.poll()
        queues = {notice.payload for notice in raw.notifies}
        raw.notifies.clear()
        return queues

    def close(self) -> None:
        """Let go at once: the server notices a closed connection a moment later only."""
        if self._connection.connection is None:
            return
        with contextlib.suppress(Error), self._connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
        self._connection.close()
