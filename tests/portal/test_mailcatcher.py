import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from portal import embedded, mailcatcher
from portal.run import free_port


@pytest.fixture(autouse=True)
def _var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_VAR", str(tmp_path / "var"))


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a running catcher."""
    number = free_port()
    env = {**os.environ, "MAIL_CATCHER_PORT": str(number)}
    words = [sys.executable, "-m", "portal.mailcatcher"]
    with subprocess.Popen(words, env=env, cwd=embedded.CHECKOUT) as process:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                smtplib.SMTP("127.0.0.1", number, timeout=5).quit()
                break
            except OSError:
                time.sleep(0.05)
        yield number
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def message(subject: str = "P1 opened") -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = subject
    mail["Message-ID"] = "<alert-1@portal.example>"
    mail.set_content("Plain words\n.with a dot")
    mail.add_alternative("<p>Rich words</p>", subtype="html")
    return mail


def test_a_message_sent_by_smtp_can_be_read_as_it_came(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(
            message("장애 접수"), "portal@portal.example", ["lena@jtac.example", "omar@jtac.example"]
        )

    (caught,) = mailcatcher.latest(10)
    assert caught.sender == "portal@portal.example"
    assert caught.recipients == ("lena@jtac.example", "omar@jtac.example")
    assert (caught.subject, caught.message_id) == ("장애 접수", "<alert-1@portal.example>")
    assert caught.text.splitlines() == ["Plain words", ".with a dot"]
    assert caught.html.strip() == "<p>Rich words</p>"
    assert datetime.now(UTC) - caught.received_at < timedelta(minutes=1)
    assert mailcatcher.read(caught.name) == caught


def test_the_envelope_counts_and_not_what_the_message_claims(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.sendmail("real@x.example", ["b@y.example"], b"X-Envelope-From: forged@x.example\r\n\r\nwords")
    (caught,) = mailcatcher.latest(10)
    assert caught.sender == "real@x.example"


def test_a_broken_message_is_still_shown(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.sendmail(
            "a@x.example",
            ["b@y.example"],
            b"Subject: =?broken?\r\nContent-Type: text/plain; charset=none-such\r\n\r\n\xff words",
        )
    (caught,) = mailcatcher.latest(10)
    assert "words" in caught.text


def test_the_newest_come_first_and_only_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailcatcher, "KEPT", 3)
    for number in range(5):
        mailcatcher.save(f"Subject: {number}\r\n\r\n".encode(), sender="a@x.example", recipients=[])
    assert [caught.subject for caught in mailcatcher.latest(2)] == ["4", "3"]
    assert len(mailcatcher.latest(10)) == 3


def test_a_line_break_in_an_address_makes_no_header_of_its_own() -> None:
    name = mailcatcher.save(
        b"\r\nwords", sender="a@x.example\r\nSubject: forged", recipients=["b\n@y.example"]
    )
    caught = mailcatcher.read(name)
    assert caught is not None
    assert caught.subject == ""
    assert caught.text.strip() == "words"


@pytest.mark.parametrize(
    "name", ["", ".", "../secret-key", "/etc/passwd", "a.eml", "00000000000000000001-0000000f.eml"]
)
def test_only_names_of_caught_messages_are_read(name: str) -> None:
    (mailcatcher.mail_dir().parent / "secret-key").write_text("secret")
    assert mailcatcher.read(name) is None


@pytest.mark.parametrize("value", [None, "", "none", "99999"])
def test_a_port_that_is_no_port_is_one_line(value: str | None) -> None:
    env = {name: text for name, text in os.environ.items() if name != "MAIL_CATCHER_PORT"}
    done = subprocess.run(
        [sys.executable, "-m", "portal.mailcatcher"],
        env=env if value is None else {**env, "MAIL_CATCHER_PORT": value},
        cwd=embedded.CHECKOUT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
