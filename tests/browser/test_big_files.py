"""A large file up and down through the running portal, cut three times each way: it resumes, arrives whole, and the
web server's memory stays flat. Small here; 2 GB in `make deep`."""

import base64
import hashlib
import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest

from tests.browser.conftest import PageAs
from tests.browser.stack import Stack
from tests.browser.test_main_job import open_a_p1

MB = 1024 * 1024
MOST_OVER_IDLE = 150 * MB
BLOCK = hashlib.sha256(b"portal").digest() * (MB // 32)


def content(start: int, stop: int) -> Iterator[bytes]:
    """A file that is nowhere in memory as a whole: block n is the same noise, with its number in front."""
    while start < stop:
        number, within = divmod(start, MB)
        block = number.to_bytes(8, "big") + BLOCK[8:]
        piece = block[within : within + stop - start]
        yield piece
        start += len(piece)


@dataclass
class Web:
    """The portal's web server: what a signed-in client asks, and what it costs in memory."""

    stack: Stack
    headers: dict[str, str]
    highest: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)

    def memory(self) -> int:
        """Proportional set size of all its processes, in bytes."""
        found = [pid for pid, words in self.stack.processes().items() if "gunicorn" in words]
        total = 0
        for pid in found:
            with suppress(psutil.NoSuchProcess):
                total += psutil.Process(pid).memory_full_info().pss
        return total

    def watch(self) -> None:
        while not self._stopped.wait(0.1):
            self.highest = max(self.highest, self.memory())

    def stop(self) -> None:
        self._stopped.set()

    def line(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=60)

    def ask(self, method: str, path: str, **headers: str) -> dict[str, str]:
        """One whole request; the headers of its answer."""
        with closing(self.line()) as line:
            line.request(method, path, headers={**self.headers, "Tus-Resumable": "1.0.0", **headers})
            answer = line.getresponse()
            answer.read()
            return {"status": str(answer.status), **dict(answer.getheaders())}

    def send(self, path: str, start: int, cut: int, size: int) -> dict[str, str]:
        """Announce the rest of the file, send it up to `cut`; hang up there unless that is the end."""
        with closing(self.line()) as line:
            line.putrequest("PATCH", path, skip_host=True)
            said = {
                **self.headers,
                "Tus-Resumable": "1.0.0",
                "Upload-Offset": str(start),
                "Content-Type": "application/offset+octet-stream",
                "Content-Length": str(size - start),
            }
            for name, value in said.items():
                line.putheader(name, value)
            line.endheaders()
            with suppress(
                BrokenPipeError, ConnectionResetError
            ):  # the server may refuse before we have sent all
                for piece in content(start, cut):
                    line.send(piece)
                if cut < size:
                    return {}
            answer = line.getresponse()
            answer.read()
            return {"status": str(answer.status), **dict(answer.getheaders())}

    def offset(self, path: str) -> int:
        """How far it is, as soon as the server has noticed that we hung up."""
        deadline = time.monotonic() + 10
        last = -1
        while True:
            now = int(self.ask("HEAD", path)["Upload-Offset"])
            if now == last:
                return now
            assert time.monotonic() < deadline
            last = now
            time.sleep(0.3)

    def fetch(self, path: str, start: int, stop: int, running: Any) -> None:
        """Read from `start`, and hang up at `stop`."""
        with closing(self.line()) as line:
            line.request("GET", path, headers={**self.headers, "Range": f"bytes={start}-"})
            answer = line.getresponse()
            assert answer.status == (206 if start else 200)
            left = stop - start
            while left and (piece := answer.read(min(MB, left))):
                running.update(piece)
                left -= len(piece)
            assert left == 0


@pytest.fixture
def web(stack: Stack, page_as: PageAs) -> Iterator[Web]:
    page = page_as("alice")
    page.goto("/")
    cookies = {one["name"]: one["value"] for one in page.context.cookies()}
    found = Web(
        stack,
        {
            "Host": f"127.0.0.1:{stack.port}",
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": str(page.get_attribute('meta[name="csrf-token"]', "content")),
        },
    )
    watcher = threading.Thread(target=found.watch, daemon=True)
    watcher.start()
    yield found
    found.stop()
    watcher.join()


def up_and_down(web: Web, page_as: PageAs, size: int) -> None:
    whole = hashlib.sha256()
    for piece in content(0, size):
        whole.update(piece)
    path = up(web, size)
    page = page_as("alice")
    number = open_a_p1(page, "Core dump for you")
    arrived = web.ask("HEAD", path)["Upload-File"]
    attach(page, arrived)
    row = page.locator(f'a[href$="/{arrived}/"], a[href*="{arrived}"]').first
    href = str(row.get_attribute("href"))
    assert number in href
    assert web.ask("HEAD", href)["ETag"] == f'"{whole.hexdigest()}"'
    running, start = hashlib.sha256(), 0
    for cut in (size // 5, size // 2, size - 7, size):
        web.fetch(href, start, cut, running)
        start = cut
    assert running.hexdigest() == whole.hexdigest()


def up(web: Web, size: int) -> str:
    """The file sent in four attempts; the address of its upload."""
    name = base64.b64encode(b"core.bin").decode()
    begun = web.ask(
        "POST", "/files/uploads/", **{"Upload-Length": str(size), "Upload-Metadata": f"filename {name}"}
    )
    assert begun["status"] == "201", begun
    path = begun["Location"]
    start = 0
    for cut in (size // 5, size // 2, size - 7):
        refused = web.send(path, start, cut, size)
        assert not refused, refused
        at = web.offset(path)
        assert start < at <= cut
        start = at
    done = web.send(path, start, size, size)
    assert (done["status"], done["Upload-Offset"]) == ("204", str(size))
    return path


def attach(page: Any, number: str) -> None:
    """The reply as the script sends it: with the number of the upload."""
    page.evaluate(
        """(number) => {
          const input = document.createElement("input");
          Object.assign(input, { type: "hidden", name: "files_ids", value: number });
          document.querySelector("#composer").append(input);
        }""",
        f"{number}:core.bin",
    )
    page.locator("#composer-body").fill("The core dump.")
    page.locator("#composer button[type=submit]").click()
    page.get_by_role("link", name="core.bin").first.wait_for()


@pytest.mark.browser
def test_a_file_cut_three_times_each_way_arrives_whole(web: Web, page_as: PageAs) -> None:
    idle = web.memory()
    up_and_down(web, page_as, 40 * MB + 123)
    assert web.highest - idle < MOST_OVER_IDLE


@pytest.mark.browser
@pytest.mark.deep("2 GB up and down, cut three times: flat memory, equal hash")
def test_two_gigabytes_cut_three_times_each_way_arrive_whole(web: Web, page_as: PageAs) -> None:
    idle = web.memory()
    up_and_down(web, page_as, 2 * 1024 * MB)
    assert web.highest - idle < MOST_OVER_IDLE
    assert web.highest > 0
