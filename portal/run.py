"""`make run`: everything the portal needs, started in order, watched, restarted, and stopped again.

The web server, the Celery worker and beat, the engine loop and the mail catcher run as children; PostgreSQL
and Valkey are the embedded ones unless DATABASE_URL and REDIS_URL name others. Standard library only: the
watcher is small, and a broken application cannot break it.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from portal import embedded
from portal.children import Child, bury
from portal.detached import EmbeddedError, adopt_orphans, try_lock

HOLD = "PORTAL_HOLD"
"""The variable that tells the web server which file to wait for; see `hold`."""
READY_SECONDS = 120
STOP_SECONDS = 8

PASSWORD = "portal-demo"  # noqa: S105 - the demo's, shown at every start
PEOPLE = (
    ("alice@acme.example", "Acme Telecom, technical contact and account manager"),
    ("anna@acme.example", "Acme Telecom, contact"),
    ("minsu@hanbit.example", "Hanbit Mobile (Korean), technical contact and account manager"),
    ("ingrid@nordlys.example", "Nordlys Fiber, technical contact"),
    ("mallory@rival.example", "Rival Net, technical contact; its contract has lapsed"),
    ("remy@meridian.example", "Meridian Networks, reseller"),
    ("dana@pacific.example", "Pacific Distribution, distributor"),
    ("sam@jtac.example", "JTAC engineer, Americas"),
    ("sofia@jtac.example", "JTAC engineer, EMEA"),
    ("jae@jtac.example", "JTAC engineer, APAC"),
    ("lena@jtac.example", "duty manager (L1)"),
    ("omar@jtac.example", "director (L2)"),
    ("vera@jtac.example", "vice president (L3)"),
    ("carl@jtac.example", "chief executive (L4)"),
    ("paula@ps.example", "Professional Services"),
    ("ada@csc.example", "CSC administrator"),
    ("abel@csc.example", "CSC administrator, for what needs two people"),
    ("aki@csc.example", "auditor"),
    ("root@csc.example", "superuser"),
)


class CannotRunError(Exception):
    """One line for the person at the terminal."""


class StopRequested(Exception):
    """SIGINT, SIGTERM or SIGHUP came, or the make that started us is going."""


@dataclass(frozen=True)
class Address:
    """Where the web server listens."""

    host: str
    port: int

    @property
    def reached_at(self) -> str:
        """The host as a browser on this machine writes it."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  # nosec B104

    @property
    def bound(self) -> str:
        """The pair as gunicorn writes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The portal's address, without a slash at its end."""
        host = self.reached_at
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


# Before anything starts


def wanted_address() -> Address:
    """HOST and PORT of the environment, or 127.0.0.1:8000.

    Raises: CannotRunError for a port that is no port."""
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CannotRunError(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return Address(os.environ.get("HOST") or "127.0.0.1", int(text))


def check_free(address: Address, *, patience: float) -> None:
    """Raises: CannotRunError if the address is not ours, or taken for longer than `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        try:
            family, kind, _, _, place = socket.getaddrinfo(
                address.host, address.port, type=socket.SOCK_STREAM
            )[0]
            with contextlib.closing(socket.socket(family, kind)) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
                return
        except OSError as error:
            if time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            raise CannotRunError(
                f"Cannot listen on {address.bound}: {error.strerror}. Choose another: PORT=8001 make run"
            ) from error


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def only_one(address: Address) -> Iterator[float]:
    """Hold the checkout for this run; gives the seconds a killed predecessor's children may need to go.

    Raises: CannotRunError with the address and process number of the one that runs already."""
    note = embedded.var_dir() / "run" / "run.json"
    lock = try_lock(note.with_name("run.lock"))
    if lock is None:
        with contextlib.suppress(OSError, ValueError):
            running = json.loads(note.read_text())
            raise CannotRunError(f"The portal already runs: {running['url']}/ (process {running['pid']}).")
        raise CannotRunError("The portal already runs in this folder.")
    try:
        patience = 5.0 if note.exists() else 0.0
        note.write_text(json.dumps({"url": address.url, "pid": os.getpid()}))
        yield patience
    finally:
        note.unlink(missing_ok=True)
        os.close(lock)


def environment(address: Address, *, mail_port: int) -> dict[str, str]:
    """What the children see: the person's own settings, and defaults for what neither they nor `.env` set."""
    loopback = "localhost,127.0.0.1,[::1]"
    defaults = {
        "DEBUG": "1",
        "REQUIRE_STAFF_MFA": "0",
        "PUBLIC_URL": address.url,
        "ALLOWED_HOSTS": loopback if address.host in loopback else f"{loopback},{address.reached_at}",
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
        # glibc gives every thread an arena of its own: tens of megabytes for nothing here
        "MALLOC_ARENA_MAX": "2",
        "PYTHONUNBUFFERED": "1",
    }
    chosen = {name: value for name, value in defaults.items() if not embedded.setting(name)}
    return {**os.environ, **chosen, "MAIL_CATCHER_PORT": str(mail_port)}


# Children


WEB = "gunicorn portal.wsgi --worker-class gthread --workers 1 --threads 8 --preload --graceful-timeout 3"
# gunicorn's own socket would lie in the home folder, for all checkouts
WEB_QUIET = "--config python:portal.web_server --no-control-socket --log-level warning"
CELERY = "celery -A portal"
WORKER = "worker -n portal@localhost --pool prefork --concurrency 2 -Q alerts,notices,default"
QUIET = "--without-gossip --without-mingle --without-heartbeat"


def children(address: Address, env: dict[str, str], *, catch_mail: bool) -> list[Child]:
    """The children in the order they stop."""
    level = ["-l", "warning"]
    found = [
        Child("web", [*_module(f"{WEB} {WEB_QUIET}"), "--bind", address.bound], env | {HOLD: str(hold())}),
        Child("beat", [*_module(f"{CELERY} beat"), "--pidfile", "", *level], env),
        Child("engine", [sys.executable, "manage.py", "alert_engine"], env),
        Child("worker", [*_module(f"{CELERY} {WORKER} {QUIET}"), *level], env, patience=4),
    ]
    if catch_mail:
        found.append(Child("mail", _module("portal.mailcatcher"), env))
    return found


def hold() -> Path:
    """As long as this exists the web server does not listen: it reads its code, the longest part of its start,
    while the database is made ready, and what does not listen cannot answer from yesterday's world."""
    return embedded.var_dir() / "run" / "web.hold"


def _module(words: str) -> list[str]:
    return [sys.executable, "-m", *words.split()]


# The watch


class Watch:
    """Runs the steps, then keeps the children alive until it is asked to stop."""

    def __init__(self, address: Address, env: dict[str, str], family: list[Child]) -> None:
        self.address, self.env, self.family = address, env, family
        self.stopping = False
        self.parent = os.getppid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # as nohup leaves it
                signal.signal(number, self.ask_to_stop)

    def ask_to_stop(self, *_: object) -> None:
        """The signal handler: a flag only."""
        self.stopping = True

    def pause(self, seconds: float = 0.1) -> None:
        """Wait a moment. Raises: StopRequested."""
        if not self.stopping:
            time.sleep(seconds)
        if self.stopping or _make_is_going(self.parent):
            raise StopRequested

    def run_step(self, *words: str) -> None:
        """One management command, to its end.

        Raises: CannotRunError if it fails, with its last lines; StopRequested."""
        step = Child("setup", [sys.executable, "manage.py", *words], self.env)
        process = step.start()
        try:
            while (code := process.poll()) is None:
                self.pause(0.02)
        finally:
            step.stop(patience=1)
        if code:
            raise CannotRunError(f"manage.py {words[0]} failed (exit code {code}):\n{step.tail()}".rstrip())

    def prepare(self, *words: str) -> None:
        """One management command while the web server, first of the family, gets ready behind its hold.

        Raises: as `run_step`."""
        hold().touch()
        self.family[0].start()
        try:
            self.run_step(*words)
        finally:
            hold().unlink(missing_ok=True)

    def wait_until_ready(self) -> None:
        """Keep the children alive until `/health/ready` answers 200.

        Raises: CannotRunError after two minutes; StopRequested."""
        deadline = time.monotonic() + READY_SECONDS
        while not self.is_ready():
            if time.monotonic() > deadline:
                raise CannotRunError(f"{self.address.url}/health/ready does not answer; see var/log/web.log.")
            self.mend()
            self.pause()

    def is_ready(self) -> bool:
        """Whether the web server says that it can serve."""
        connection = http.client.HTTPConnection(self.address.reached_at, self.address.port, timeout=5)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def mend(self) -> None:
        """Report and restart what has ended; bury what detached itself from us."""
        for child in self.family:
            if report := child.mend():
                say(report.rstrip())
        for name in embedded.missing():
            say(f"{name} is gone; it starts again.")
            embedded.start()
        bury({child.process.pid for child in self.family if child.process})

    def keep(self) -> NoReturn:
        """Mend for ever. Raises: StopRequested."""
        while True:
            self.mend()
            self.pause(0.2)

    def stop(self) -> None:
        """Stop the children in their order, and within ten seconds."""
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.family:
            child.stop(patience=max(0.2, min(child.patience, deadline - time.monotonic())))


def _make_is_going(parent: int) -> bool:
    """Whether the make that started us was killed, or got a SIGINT that it keeps to itself until we end."""
    if "MAKELEVEL" not in os.environ:
        return False
    if os.getppid() != parent:
        return True
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{parent}/status").read_text().splitlines():
            if line.startswith("SigBlk:"):  # a signal is blocked while its handler runs
                return bool(int(line.split()[1], 16) >> (signal.SIGINT - 1) & 1)
    return False


# The person at the terminal


def say(text: str) -> None:
    """A line of the watcher's own; a terminal that is gone must not keep it from stopping the rest."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


def greeting(address: Address, seconds: float, *, demo: bool) -> str:
    """What is shown when everything is up."""
    lines = [
        f"Ready after {seconds:.1f} s:  {address.url}/",
        f"Logs: {embedded.var_dir() / 'log'}    Stop: Ctrl-C",
    ]
    if demo:
        width = max(len(mail) for mail, _ in PEOPLE)
        lines += [f"Mail that was sent: {address.url}/engine/mail/", ""]
        lines += [f"Sign in with one of these and the password {PASSWORD}", ""]
        lines += [f"  {mail:{width}}  {who}" for mail, who in PEOPLE]
    return "\n".join(["", *lines, ""])


def run() -> None:
    """Start everything, watch it, stop it. Raises: CannotRunError, EmbeddedError."""
    began = time.monotonic()
    address = wanted_address()
    embedded.make_places()
    with only_one(address) as patience:
        check_free(address, patience=patience)
        env = environment(address, mail_port=free_port())
        debug = (embedded.setting("DEBUG") or "1").lower() in ("1", "true", "yes", "y", "on", "ok")
        watch = Watch(address, env, children(address, env, catch_mail=debug))
        adopt_orphans()
        with contextlib.suppress(StopRequested), embedded.services():
            try:
                if debug:
                    watch.prepare("demo_world", "--migrate", "--if-needed")
                else:
                    watch.prepare("migrate", "--no-input", "-v0")
                watch.wait_until_ready()
                say(greeting(address, time.monotonic() - began, demo=debug))
                watch.keep()
            finally:
                say("Stopping ...")
                watch.stop()
    bury(set())
    say("Stopped.")


def main() -> int:
    """The command; what cannot work is told on stderr, with exit code 2."""
    try:
        run()
    except (CannotRunError, EmbeddedError) as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        _forget_a_closed_terminal()
    return 0


def _forget_a_closed_terminal() -> None:
    """What could not be printed would be tried again at exit, and make a failure of a clean stop."""
    try:
        sys.stdout.flush()
    except OSError:
        sys.stdout = None


if __name__ == "__main__":
    sys.exit(main())
