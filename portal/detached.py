"""A server that runs by itself: started once, found again by anybody, stopped by whoever is last.

Whether it runs is told by a lock that all its processes inherit. A process number in a file may lie: it
may belong to another process by now, or to a dead one that nobody has buried.
"""

import contextlib
import ctypes
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
START_SECONDS = 30
STOP_SECONDS = (6, 2, 2)  # after each of a server's three signals


class EmbeddedError(Exception):
    """A service cannot start or stop; the message is one line for the person at the terminal."""


def try_lock(path: Path, kind: int = fcntl.LOCK_EX) -> int | None:
    """A file descriptor that holds the lock until it is closed, or None if somebody else does."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def adopt_orphans() -> None:
    """Become the parent of servers that detach themselves (Linux): in some containers nobody else is."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@dataclass(frozen=True)
class Server:
    """Where a server answers and keeps its number, and the signals that stop it: politely, firmly, dead."""

    name: str
    folder: Path
    socket: Path
    pid_file: Path
    log: Path
    signals: tuple[signal.Signals, signal.Signals, signal.Signals]

    @property
    def lock(self) -> Path:
        """Held by every process of it."""
        return self.folder / f"{self.name}.lock"

    def is_running(self) -> bool:
        """Whether any process of it lives."""
        if not self.folder.is_dir():
            return False
        handle = try_lock(self.lock)
        if handle is not None:
            os.close(handle)
        return handle is None

    def answers(self) -> bool:
        """Whether it takes connections."""
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
            probe.settimeout(1)  # a frozen server's queue may be full
            return probe.connect_ex(str(self.socket)) == 0

    def start(self, launch: Callable[[int], None]) -> bool:
        """Unless it runs, launch it with the descriptor to inherit; True if it was launched.

        A dying predecessor is waited for. Raises: EmbeddedError."""
        with self._alone():
            deadline = time.monotonic() + START_SECONDS
            while (handle := try_lock(self.lock)) is None:
                if self.answers():
                    return False
                if time.monotonic() > deadline:
                    raise EmbeddedError(f"{self.name} runs but does not answer; see {self.log}.")
                time.sleep(0.05)
            try:
                launch(handle)
                self._wait_for_an_answer(deadline)
            finally:
                os.close(handle)
            return True

    def stop(self) -> None:
        """Stop it if it runs. Raises: EmbeddedError if not even SIGKILL ends it."""
        if not self.folder.is_dir():
            return
        with self._alone():
            for number, patience in zip(self.signals, STOP_SECONDS, strict=True):
                if not self.is_running():
                    return
                pid = self._signal(number)
                deadline = time.monotonic() + patience
                while self.is_running() and time.monotonic() < deadline:
                    time.sleep(0.02)
                if pid and not self.is_running():
                    with contextlib.suppress(ChildProcessError):
                        os.waitpid(pid, 0)  # ours if we adopt orphans
            if self.is_running():
                raise EmbeddedError(f"{self.name} does not stop; see {self.log}.")

    def telling_line(self) -> str:
        """The line of its log that says best why it did not start."""
        return telling_line(self.log.read_text(errors="replace").strip().splitlines()[-8:])

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One starter or stopper at a time."""
        with (self.folder / f"{self.name}.starting").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _wait_for_an_answer(self, deadline: float) -> None:
        while not self.answers():
            if time.monotonic() > deadline:
                raise EmbeddedError(f"{self.name} did not start: {self.telling_line() or 'no answer'}")
            time.sleep(0.02)

    def _signal(self, number: signal.Signals) -> int | None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, IndexError, ValueError):
            pid = int(self.pid_file.read_text().split()[0])
            os.kill(pid, number)
            return pid
        return None


def run(command: Sequence[str], *, log: Path, hold: int | None = None, text: str | None = None) -> None:
    """Run to the end, with no locale and no connection settings of the person's shell.

    `hold` is a descriptor that it inherits, `text` what it reads. Raises: EmbeddedError with what it said."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
    with log.open("w+") as output:  # a pipe would stay open for as long as the server that was started
        done = subprocess.run(
            command,
            env={**kept, "LC_ALL": "C"},
            input=text,
            stdin=None if text else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=[] if hold is None else [hold],
            start_new_session=True,
            cwd="/",
            check=False,
        )
        output.seek(0)
        lines = output.read().strip().splitlines()
    if done.returncode:
        raise EmbeddedError(telling_line(lines) or f"{command[0]} failed.")


def telling_line(lines: Sequence[str]) -> str:
    """Of what a server printed, the last line that speaks of an error, or the last one; empty if none."""
    errors = [line for line in lines if re.search("error|fatal", line, re.IGNORECASE)]
    return (errors or lines or [""])[-1]
