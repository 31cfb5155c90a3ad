"""The whole portal as `make run` starts it, for browser tests: real processes, a folder and a port of its own."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from portal import embedded
from portal.children import _end_with
from portal.run import free_port

START_SECONDS = 180
STOP_SECONDS = 30
# what a person may have set for their own portal is nothing to this one
OWN_SETTINGS = (
    "ALLOWED_HOSTS", "DATABASE_URL", "DEBUG", "EMAIL_URL", "HOST", "MAKEFLAGS", "MAKELEVEL", "MEDIA_ROOT",
    "PUBLIC_URL", "REDIS_URL", "REQUIRE_STAFF_MFA", "SECRET_KEY", "STATIC_ROOT",
)  # fmt: skip


@dataclass(frozen=True)
class Stack:
    """A portal that runs: its address, and everything it keeps in its folder."""

    var: Path
    port: int

    @property
    def base_url(self) -> str:
        """Without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    def mails_to(self, address: str, *, about: str = "") -> list[EmailMessage]:
        """What the mail catcher took for the address, oldest first; only mails whose subject has `about` in it."""
        found = []
        for path in sorted((self.var / "mail").glob("*.eml")):
            with suppress(FileNotFoundError):  # the catcher keeps the newest thousand
                mail = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(path.read_bytes())
                if address in str(mail["X-Envelope-To"]) and about in str(mail["Subject"]):
                    found.append(mail)
        return found

    def wait_for_mail(self, address: str, *, about: str, seconds: float = 15) -> EmailMessage:
        """The first such mail, as soon as it is there."""
        deadline = time.monotonic() + seconds
        while not (found := self.mails_to(address, about=about)):
            assert time.monotonic() < deadline, f"no mail about {about!r} came to {address}; {self.logs()}"
            time.sleep(0.05)
        return found[0]

    def logs(self) -> str:
        """The last lines of every process, for the report of a failure."""
        tails = [
            f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}"
            for path in sorted((self.var / "log").glob("*.log"))
        ]
        return "\n".join(tails)

    def processes(self) -> dict[int, str]:
        """Everything alive that was started for this folder, by number."""
        mark = f"PORTAL_VAR={self.var}\0".encode()
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if words and (mark in (entry / "environ").read_bytes() + b"\0" or str(self.var) in words):
                    found[int(entry.name)] = words
        return found


def is_ready(port: int) -> bool:
    """Whether a portal on this port says that it can serve."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def running_stack() -> Iterator[Stack]:
    """A portal with the demo world, stopped by SIGINT at the end, as Ctrl-C does; nothing of it may be left."""
    # short, or the socket of PostgreSQL would have to lie elsewhere
    var = Path(tempfile.mkdtemp(prefix="portal-browser-"))
    stack = Stack(var, free_port())
    env = {name: value for name, value in os.environ.items() if name not in OWN_SETTINGS}
    env |= {"PORT": str(stack.port), "PORTAL_VAR": str(var), "LOG_LEVEL": "WARNING"}
    with (var / "printed").open("wb") as output:
        watcher = subprocess.Popen(
            [sys.executable, "-m", "portal.run"],
            cwd=embedded.CHECKOUT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with(os.getpid()),  # noqa: PLW1509 - a run that is killed leaves no portal behind
        )
    try:
        _wait_until_ready(stack, watcher)
        yield stack
    finally:
        _stop(stack, watcher)
    shutil.rmtree(var)


def _wait_until_ready(stack: Stack, watcher: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready(stack.port):
        printed = (stack.var / "printed").read_text(errors="replace")
        assert watcher.poll() is None, printed
        assert time.monotonic() < deadline, printed + stack.logs()
        time.sleep(0.1)


def _stop(stack: Stack, watcher: subprocess.Popen[bytes]) -> None:
    watcher.send_signal(signal.SIGINT)
    try:
        code = watcher.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        watcher.kill()
        code = watcher.wait()
    left = stack.processes()
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert (code, left) == (0, {}), (stack.var / "printed").read_text(errors="replace")
