"""A process that `make run` keeps alive: its log, its end, and the end of everything it started."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from portal import embedded

DELAYS = (1, 2, 5, 10)  # seconds before a crashed child is started again
STEADY_SECONDS = 60  # a child that lived so long starts again at the first delay
TAIL_LINES = 15
LARGEST_LOG_BYTES = 5_000_000
PR_SET_PDEATHSIG = 1  # linux/prctl.h
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass
class Child:
    """A process of ours that is kept alive. `patience` is the time in seconds it gets to end by itself."""

    name: str
    command: list[str]
    env: dict[str, str]
    patience: float = 3
    process: subprocess.Popen[bytes] | None = None
    started: float = 0
    failures: int = 0
    due: float = field(default_factory=time.monotonic)
    log_from: int = 0

    @property
    def log(self) -> Path:
        """Where everything it prints goes."""
        return embedded.var_dir() / "log" / f"{self.name}.log"

    def start(self) -> subprocess.Popen[bytes]:
        """Start it in a session of its own, so that Ctrl-C at the terminal reaches only the watcher."""
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as output:
            self.log_from = output.tell()
            self.process = subprocess.Popen(
                self.command,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=embedded.CHECKOUT,
                start_new_session=True,
                preexec_fn=_end_with(os.getpid()),  # noqa: PLW1509 - the watcher has one thread
            )
        self.started = time.monotonic()
        return self.process

    def tail(self) -> str:
        """The last lines it printed since it was started."""
        with self.log.open("rb") as output:
            output.seek(self.log_from)
            lines = output.read()[-20_000:].decode(errors="replace").splitlines()
        return "".join(f"    {line}\n" for line in lines[-TAIL_LINES:])

    def mend(self) -> str:
        """Start it when it is due. When it has ended make it due again; then gives a report, else nothing."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self.start()
            return ""
        code = self.process.poll()
        if code is None:
            return ""
        self.failures = 0 if now - self.started > STEADY_SECONDS else self.failures
        delay = DELAYS[min(self.failures, len(DELAYS) - 1)]
        self.stop(patience=0)
        self.process, self.failures, self.due = None, self.failures + 1, now + delay
        return (
            f"{self.name} ended ({_how(code)}) and starts again in {delay} s. Its last lines:\n{self.tail()}"
        )

    def stop(self, *, patience: float) -> None:
        """Ask it to end, wait that many seconds, and kill what is left of its session."""
        if self.process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.terminate()
            self.process.wait(patience)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _end_with(parent: int) -> Callable[[], None]:
    """For the new child: end when the watcher is gone, even by kill -9 (Linux)."""

    def prepare() -> None:
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"


def bury(known: set[int]) -> None:
    """Reap dead processes that we adopted, up to the first known one, whose exit code others ask for."""
    with contextlib.suppress(ChildProcessError):
        while dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if dead.si_pid in known:
                return
            os.waitpid(dead.si_pid, 0)
