"""From opening a P1 to its first management mail being accepted by the SMTP server, with everything running.

    python -m bench.p1_to_mail --count 200                  as it is
    python -m bench.p1_to_mail --count 100 --valkey frozen  Valkey stopped by SIGSTOP
    python -m bench.p1_to_mail --count 100 --valkey killed  Valkey killed and kept away

Starts a portal of its own in a temporary folder on a free port of this machine, opens the cases through the page
as the demo's Alice, and reads the times from the database: the case's `opened_at`, the delivery's `sent_at`.
"""

import argparse
import contextlib
import http.cookiejar
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg2

ROOT = Path(__file__).resolve().parent.parent
TIMES = """
SELECT extract(epoch FROM min(d.sent_at) - c.opened_at)
  FROM cases_case c
  JOIN notifications_message m ON m.subject = 'case:' || c.number AND m.kind = 'case_alert'
  JOIN notifications_delivery d ON d.message_id = m.id AND d.channel = 'mail'
 WHERE c.synopsis LIKE 'bench:%%' AND c.id > %s
 GROUP BY c.id
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Browser:
    """A person at the page: cookies, the CSRF token, forms."""

    def __init__(self, base: str) -> None:
        self.base = base
        jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def get(self, path: str) -> str:
        with self.opener.open(self.base + path, timeout=60) as answer:
            return str(answer.read().decode())

    def post(self, path: str, page: str, data: dict[str, str]) -> str:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token, f"{path} has no form"
        body = urllib.parse.urlencode({**data, "csrfmiddlewaretoken": token[1]}).encode()
        request = urllib.request.Request(self.base + path, body, {"Referer": self.base + path})
        with self.opener.open(request, timeout=60) as answer:
            return str(answer.geturl())


def choices(page: str, name: str) -> list[tuple[str, str]]:
    select = re.search(rf'<select[^>]*name="{name}".*?</select>', page, re.DOTALL)
    assert select, f"no choice of {name}"
    return re.findall(r'<option value="(\d+)"[^>]*>([^<]*)', select[0])


@contextlib.contextmanager
def portal(var: str) -> Iterator[str]:
    port = free_port()
    environment = {**os.environ, "PORTAL_VAR": var, "PORT": str(port), "HOST": "127.0.0.1"}
    process = subprocess.Popen([sys.executable, "-m", "portal.run"], cwd=ROOT, env=environment)
    base = f"http://127.0.0.1:{port}"
    try:
        for _attempt in range(600):
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"{base}/health/ready", timeout=5)
                break
            if process.poll() is not None:
                raise SystemExit("the portal did not start")
            time.sleep(0.2)
        yield base
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def valkey_pid(var: str) -> int:
    found = subprocess.run(
        ["pgrep", "-f", f"valkey-server.*{var}|{var}.*valkey"], capture_output=True, text=True, check=False
    )
    pids = [int(line) for line in found.stdout.split()]
    for pid in pids:
        if "valkey" in Path(f"/proc/{pid}/comm").read_text():
            return pid
    raise SystemExit("Valkey was not found")


def open_cases(base: str, count: int) -> list[float]:
    """Opens `count` P1 cases; seconds that each POST took."""
    browser = Browser(base)
    browser.post(
        "/account/login/",
        browser.get("/account/login/"),
        {"login": "alice@acme.example", "password": "portal-demo"},
    )
    page = browser.get("/cases/new/")
    site = choices(page, "site")[0][0]
    software = next(value for value, label in choices(page, "software") if "PathKeeper" in label)
    release = next(value for value, label in choices(page, "release") if "21.4R3-S5" in label)
    took = []
    for number in range(count):
        data = {
            "site": site,
            "software": software,
            "release": release,
            "synopsis": f"bench: {number}",
            "description": "Both route reflectors lost their sessions.",
            "priority": "P1",
            "environment": "production",
            "follow_up": "full_mail",
            "backup_confirmed": "on",
            "idempotency_key": str(uuid.uuid4()),
        }
        began = time.monotonic()
        address = browser.post("/cases/new/", page, data)
        took.append(time.monotonic() - began)
        assert re.search(r"/cases/\d{4}-\d{4}-\d{4,}/", address), address
        time.sleep(0.05)
    return took


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--valkey", choices=["running", "frozen", "killed"], default="running")
    options = parser.parse_args()
    limit = 3.0 if options.valkey == "running" else 10.0
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as var, portal(var) as base:
        before = open_cases(base, 20)
        frozen = 0
        if options.valkey != "running":
            frozen = valkey_pid(var)
            os.kill(frozen, signal.SIGSTOP if options.valkey == "frozen" else signal.SIGKILL)
        try:
            took, waited = measure(base, var, options.count)
        finally:
            if options.valkey == "frozen":
                os.kill(frozen, signal.SIGCONT)
    ratio = statistics.median(took) / statistics.median(before)
    p99 = quantile(waited, 0.99)
    print(f"opening: p50 {1000 * statistics.median(took):.0f} ms, {ratio:.2f}x of before")
    print(
        f"to mail: p50 {statistics.median(waited):.2f} s, p99 {p99:.2f} s, {len(waited)} of {options.count}"
    )
    held = len(waited) == options.count and p99 < limit and ratio < 1.5
    print(f"p1_to_mail, Valkey {options.valkey}: {'held' if held else 'MISSED'}")
    return 0 if held else 1


def measure(base: str, var: str, count: int) -> tuple[list[float], list[float]]:
    """How long each opening took, and how long each first mail."""
    environment = {**os.environ, "PORTAL_VAR": var}
    command = [sys.executable, "-c", "from portal import embedded; print(embedded.socket_dir())"]
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    connection = psycopg2.connect(dbname="portal", user="portal", host=found.stdout.strip())
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM cases_case")
        first = cursor.fetchone()[0]
        took = open_cases(base, count)
        for _attempt in range(150):
            cursor.execute(TIMES, [first])
            waited = [float(row[0]) for row in cursor.fetchall() if row[0] is not None]
            if len(waited) == count:
                break
            time.sleep(0.2)
    return took, waited


if __name__ == "__main__":
    sys.exit(main())
