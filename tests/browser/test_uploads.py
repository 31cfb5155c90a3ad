"""Files go ahead of the form: with progress, over a cut connection, after a reload; by drop and paste too."""

import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PageAs
from tests.browser.stack import Stack
from tests.browser.test_main_job import fill_in, number_on, open_a_p1, press

pytestmark = pytest.mark.browser

MB = 1024 * 1024


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """30 MB that no two places of which are alike."""
    path = tmp_path / "core.dump"
    with path.open("wb") as out:
        for number in range(30 * MB // 32):
            out.write(hashlib.sha256(number.to_bytes(8, "big")).digest())
    return path


def slow(page: Page, bytes_a_second: int) -> None:
    """The network of a site far away."""
    session = page.context.new_cdp_session(page)
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": bytes_a_second},
    )


class Cable:
    """A way to the portal that can be cut in the middle of a request: a TCP relay on loopback."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[socket.socket] = []
        self._is_cut = False
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _address = self._listener.accept()
                if self._is_cut:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._target))
                self._pairs += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._relay, args=(one, other), daemon=True).start()

    def _relay(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while piece := one.recv(65536):
                other.sendall(piece)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def cut(self) -> None:
        self._is_cut = True
        for end in self._pairs:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self.cut()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def cable(stack: Stack) -> Iterator[Cable]:
    found = Cable(stack.port)
    yield found
    found.close()


def digest_of_download(page: Page, name: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("main").get_by_role("link", name=name).first.click()
    return hashlib.sha256(download.value.path().read_bytes()).hexdigest()


def test_thirty_megabytes_cut_in_the_middle_resume_and_arrive_whole(
    page_as: PageAs, dump: Path, cable: Cable
) -> None:
    page = page_as("alice", base_url=cable.url)
    open_a_p1(page, "Dump follows")
    sent: list[int] = []
    page.on(
        "request",
        lambda request: (
            sent.append(int(request.headers["upload-offset"])) if request.method == "PATCH" else None
        ),
    )
    slow(page, 8 * MB)
    page.get_by_label("Attach, drop or paste files").set_input_files(dump)
    row = page.locator("#composer .upload")
    expect(row).to_contain_text("core.dump")
    expect(row).to_contain_text(re.compile(r"[2-6]\d %"))
    cable.cut()
    expect(row).to_contain_text("connection lost")
    page.locator("#composer-body").fill("The core dump of the second failover.")
    page.locator("#composer button[type=submit]").click()
    expect(page.locator("#composer .uploads [role=status]")).to_contain_text(
        "as soon as the files have arrived"
    )
    cable.mend()
    page.get_by_role("link", name="core.dump").first.wait_for(timeout=60_000)
    assert len(sent) >= 2
    assert sent[0] == 0
    assert sent[-1] > 0
    assert digest_of_download(page, "core.dump") == hashlib.sha256(dump.read_bytes()).hexdigest()


def test_an_upload_goes_on_after_a_reload_where_it_was(page_as: PageAs, dump: Path) -> None:
    page = page_as("alice")
    open_a_p1(page, "Dump follows after a reload")
    slow(page, 8 * MB)
    page.get_by_label("Attach, drop or paste files").set_input_files(dump)
    row = page.locator("#composer .upload")
    expect(row).to_contain_text(re.compile(r"[3-6]\d %"))
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("paused")
    page.reload()
    expect(page.locator("#composer .uploads")).to_contain_text("core.dump was sent up to")
    sent: list[int] = []
    page.on(
        "request",
        lambda request: (
            sent.append(int(request.headers["upload-offset"])) if request.method == "PATCH" else None
        ),
    )
    page.get_by_label("Attach, drop or paste files").set_input_files(dump)
    expect(row).to_contain_text("arrived", timeout=60_000)
    assert sent
    assert all(offset > 0 for offset in sent)
    page.locator("#composer-body").fill("Here it is.")
    page.locator("#composer button[type=submit]").click()
    assert digest_of_download(page, "core.dump") == hashlib.sha256(dump.read_bytes()).hexdigest()


def test_what_has_arrived_stays_chosen_when_the_form_comes_back_with_an_error(page_as: PageAs) -> None:
    page = page_as("alice")
    fill_in(page, "Two logs, and the backup box forgotten", reference="")
    page.get_by_label("are protected and backed up").uncheck()
    page.get_by_label("Files").set_input_files(
        [
            {"name": "a.log", "mimeType": "text/plain", "buffer": b"first"},
            {"name": "b.log", "mimeType": "text/plain", "buffer": b"second"},
        ]
    )
    expect(page.locator(".upload")).to_have_count(2)
    press(page, "Open the case")
    expect(page.get_by_role("alert")).to_contain_text("protected and backed up")
    expect(page.get_by_role("checkbox", name="a.log")).to_be_checked()
    page.get_by_role("checkbox", name="b.log").uncheck()
    page.get_by_label("are protected and backed up").check()
    press(page, "Open the case")
    number_on(page)
    expect(page.get_by_role("link", name="a.log")).to_be_visible()
    expect(page.get_by_role("link", name="b.log")).to_have_count(0)


def test_pictures_are_pasted_and_several_files_dropped(page_as: PageAs) -> None:
    page = page_as("alice")
    open_a_p1(page, "Pasted and dropped")
    page.evaluate(
        """() => {
          const give = (kind, name, files) => {
            const data = new DataTransfer();
            files.forEach((one) => data.items.add(new File([one], one, {type: "image/png"})));
            const options = { bubbles: true, cancelable: true, [name]: data };
            const event = kind === "paste" ? new ClipboardEvent(kind, options) : new DragEvent(kind, options);
            document.querySelector("#composer-body").dispatchEvent(event);
          };
          give("paste", "clipboardData", ["picture.png"]);
          give("drop", "dataTransfer", ["one.log", "two.log"]);
        }"""
    )
    rows = page.locator("#composer .upload")
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="arrived")).to_have_count(3)
    rows.filter(has_text="one.log").get_by_role("button", name="Remove").click()
    page.locator("#composer-body").fill("See the picture.")
    page.locator("#composer button[type=submit]").click()
    expect(page.get_by_role("link", name="picture.png")).to_be_visible()
    expect(page.get_by_role("link", name="two.log")).to_be_visible()
    expect(page.get_by_role("link", name="one.log")).to_have_count(0)


def test_a_file_that_the_server_does_not_take_says_why_and_can_be_removed(page_as: PageAs) -> None:
    page = page_as("alice")
    open_a_p1(page, "Refused")

    def refuse(route: Route) -> None:
        route.fulfill(status=200, headers={"Content-Type": "text/plain"}, body="Not this one.")

    page.route("**/files/uploads/", refuse)
    page.get_by_label("Attach, drop or paste files").set_input_files(
        [
            {"name": "bad.bin", "mimeType": "text/plain", "buffer": b"x"},
            {"name": "empty.bin", "mimeType": "text/plain", "buffer": b""},
        ]
    )
    row = page.locator("#composer .upload")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Not this one.")
    expect(page.locator("#composer .uploads [role=status]")).to_contain_text("empty.bin is empty")
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)


def test_without_the_script_the_file_goes_with_the_form(page_as: PageAs) -> None:
    page = page_as("alice")
    number = open_a_p1(page, "No script")
    plain = page_as("alice", java_script_enabled=False)
    plain.goto(f"/cases/{number}/")
    plain.get_by_label("Attach, drop or paste files").set_input_files(
        {"name": "plain.log", "mimeType": "text/plain", "buffer": b"plain"}
    )
    plain.locator("#composer-body").fill("As ever.")
    plain.locator("#composer button[type=submit]").click()
    expect(plain.get_by_role("link", name="plain.log")).to_be_visible()
