"""`make bench`: the benchmark. Every target is a ratio taken in this one run (docs/speed.md).

    CASES=100000 python -m bench        builds the two worlds it needs once, and keeps them

Two databases stand beside the portal's own: one with CASES cases and one with a hundredth. A server runs on each;
floors and pages are asked in turn, so that whatever else the machine does meets both. Exit 1 when a row is over.
"""

import contextlib
import hashlib
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
from environ import Env

from bench.p1_to_mail import free_port
from bench.rows import ACTS, ROWS, Row
from portal import embedded

ROOT = Path(__file__).resolve().parent.parent
RUNS = int(os.environ.get("RUNS", "40"))
SMALLER = 100
WARM = 3
CALM_PAGE_MS = 5.0


@dataclass
class Site:
    """One world with a server on it."""

    cases: int
    url: str
    samples: dict[str, Any] = field(default_factory=dict)
    port: int = 0
    acts: dict[str, dict[str, float]] = field(default_factory=dict)
    database: Any = None
    link: http.client.HTTPConnection | None = None

    def get(self, who: str, path: str) -> tuple[float, int, str, str]:
        """Seconds, queries, the body, and where it leads to, if it does."""
        if self.link is None:
            self.link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Cookie": f"sessionid={self.samples[who]}", "Accept": "text/html, application/json"}
        began = time.perf_counter()
        self.link.request("GET", path, headers=headers)
        answer = self.link.getresponse()
        body = answer.read()
        took = time.perf_counter() - began
        if answer.status not in (200, 302):
            raise SystemExit(f"{path} answered {answer.status}")
        return took, int(answer.headers["X-Queries"]), body.decode(), answer.headers.get("Location", "")

    def run_sql(self, text: str) -> float:
        began = time.perf_counter()
        with self.database.cursor() as cursor:
            for statement in text.split(";"):
                cursor.execute(statement)
                cursor.fetchall()
        return time.perf_counter() - began


@dataclass
class Figures:
    floor: float
    p50: float
    p95: float
    queries: int
    calm: float


@dataclass
class Taken:
    """Seconds, as they were taken."""

    floors: list[float] = field(default_factory=list)
    statements: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    queries: int = 0

    def figures(self) -> Figures:
        calm = statistics.median(self.floors) * 1000
        return Figures(
            floor=calm + statistics.median(self.statements) * 1000,
            p50=statistics.median(self.pages) * 1000,
            p95=sorted(self.pages)[int(0.95 * len(self.pages))] * 1000,
            queries=self.queries,
            calm=calm,
        )


def main() -> int:
    cases = int(os.environ.get("CASES", "100000"))
    big = world(cases)
    small = world(max(cases // SMALLER, 1000))
    with server(small), server(big):
        for site in (small, big):
            site.database = connect(site.url)
            site.database.autocommit = True
        found = [(row, measure(row, (small, big))) for row in ROWS]
    for site in (small, big):
        site.acts = json.loads(run("-m", "bench.acts", url=site.url))
    return report(found, small, big)


def admin_url() -> str:
    return os.environ.get("DATABASE_URL") or embedded.database_url()


def connect(url: str) -> Any:
    """A connection by an address as the settings have it: a socket's folder stands quoted in its path."""
    config = Env.db_url_config(url)
    return psycopg2.connect(
        dbname=config["NAME"],
        user=config["USER"] or None,
        password=config["PASSWORD"] or None,
        host=config["HOST"] or None,
        port=config["PORT"] or None,
    )


def world(cases: int) -> Site:
    """The world of so many cases, built anew when the generator or a migration has changed."""
    name = f"bench_{cases}"
    site = Site(cases=cases, url=f"{admin_url().rpartition('/')[0]}/{name}")
    with contextlib.closing(connect(admin_url())) as link:
        link.autocommit = True
        with link.cursor() as cursor:
            cursor.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
            )
            known = cursor.fetchone()
            if known != (built_by(),):
                cursor.execute(f"DROP DATABASE IF EXISTS {name}")
                cursor.execute(f"CREATE DATABASE {name}")
                print(f"Building a world of {cases} cases ...", flush=True)
                run("manage.py", "migrate", "-v0", url=site.url)
                print(run("manage.py", "bulk_world", f"--cases={cases}", url=site.url), end="", flush=True)
                cursor.execute(f"COMMENT ON DATABASE {name} IS %s", [built_by()])
    site.samples = json.loads(run("-m", "bench.prepare", url=site.url))
    return site


def built_by() -> str:
    """What a world follows from: the generator and the migrations."""
    digest = hashlib.sha256((ROOT / "bench" / "world.py").read_bytes())
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def environment(url: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "REQUIRE_STAFF_MFA": "0",
    }


def run(*words: str, url: str) -> str:
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment(url), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


@contextlib.contextmanager
def server(site: Site) -> Iterator[None]:
    site.port = free_port()
    words = (
        f"-m gunicorn portal.wsgi --worker-class gthread --workers 1 --threads 4 --bind 127.0.0.1:{site.port}"
    )
    process = subprocess.Popen(
        [sys.executable, *words.split(), "--log-level", "error", "--keep-alive", "60"],
        cwd=ROOT,
        env=environment(site.url),
        stdout=subprocess.DEVNULL,
    )
    try:
        for _attempt in range(200):
            with contextlib.suppress(OSError):
                link = http.client.HTTPConnection("127.0.0.1", site.port, timeout=5)
                link.request("GET", "/health/live")
                link.getresponse().read()
                break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def measure(row: Row, sites: Sequence[Site]) -> list[Figures]:
    """The row on each site, asked in turn: whatever else the machine does meets all of them."""
    paths = [older(site, row) for site in sites]
    sql = [row.sql % site.samples if row.sql else "" for site in sites]
    floor_path = f"/bench/{row.floor}/"
    taken = [Taken() for _site in sites]
    for turn in range(WARM + RUNS):
        for site, path, statements, times in zip(sites, paths, sql, taken, strict=True):
            floor = site.get(row.who, floor_path)[0]
            page, times.queries, _body, _to = site.get(row.who, path)
            spent = site.run_sql(statements) if statements else 0.0
            if turn >= WARM:
                times.floors.append(floor)
                times.pages.append(page)
                times.statements.append(spent)
    return [times.figures() for times in taken]


def older(site: Site, row: Row) -> str:
    """The address that is measured, some "older" links away from the first page."""
    path = row.path.replace("%(", "\0(").replace("%", "%%").replace("\0(", "%(") % site.samples
    start = path.split("?", maxsplit=1)[0]
    for _page in range(row.pages):
        body = site.get(row.who, path)[2]
        links = re.findall(r'href="(\?[^"]*after=[^"]*)"', body)
        if not links:
            return path
        path = start + links[-1].replace("&amp;", "&")
    return path


def report(found: Sequence[tuple[Row, Sequence[Figures]]], small: Site, big: Site) -> int:
    print(f"\n{big.cases} cases beside {small.cases}; milliseconds, each beside its floor in the same run\n")
    print(
        f"{'':42}{'floor':>8}{'p50':>8}{'p95':>8}{'ratio':>7}{'of':>5}{'growth':>8}{'of':>5}{'queries':>9}{'of':>4}"
    )
    over = 0
    for row, (little, much) in found:
        growth = much.p50 / little.p50
        limits = (row.ratio, row.growth, row.queries)
        slow = bool(row.most_ms) and much.p50 / max(much.calm / CALM_PAGE_MS, 1) > row.most_ms
        over += line(row.name, much, growth, limits, slow=slow)
    for name, limits in ACTS.items():
        now, before = big.acts[name], small.acts[name]
        figures = Figures(now["floor"], now["p50"], now["p95"], int(now["queries"]), 0)
        over += line(name, figures, now["p50"] / before["p50"], limits, slow=False)
    print(f"\nbench: {len(found) + len(ACTS)} rows, {over} over target")
    return 1 if over else 0


def line(name: str, figures: Figures, growth: float, limits: tuple[float, float, int], *, slow: bool) -> bool:
    ratio_limit, growth_limit, query_limit = limits
    ratio = figures.p50 / figures.floor if figures.floor else 0.0
    is_over = slow or growth > growth_limit or figures.queries > query_limit
    is_over = is_over or bool(ratio_limit and ratio > ratio_limit)
    mark = "  <- over" if is_over else ""
    print(
        f"{name:42.42}{figures.floor:8.1f}{figures.p50:8.1f}{figures.p95:8.1f}{ratio:7.2f}{ratio_limit:5.1f}"
        f"{growth:8.2f}{growth_limit:5.1f}{figures.queries:9}{query_limit:4}{mark}",
        flush=True,
    )
    return is_over


if __name__ == "__main__":
    sys.exit(main())
