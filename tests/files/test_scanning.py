"""New files wait for the scanner, and what it finds stays with us."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import User
from files import scanning
from files.actions import store_upload
from files.models import StoredFile
from files.scanner import ScannerUnavailable, scan
from files.scanning import GIVEN_UP, scan_waiting, start_scanning
from tests.files.conftest import EICAR, Scanner

NOW = timezone.now()


def keep(by: User, content: bytes) -> StoredFile:
    return store_upload(uploaded=SimpleUploadedFile("a.bin", content), by=by, now=NOW)


def test_without_a_scanner_a_file_says_that_nobody_looked_and_is_served(alice: User) -> None:
    stored = keep(alice, EICAR)
    assert (stored.scan, stored.is_served) == ("not_scanned", True)
    assert "no scanner is configured" in stored.get_scan_display()


def test_a_new_file_is_held_back_until_the_scanner_has_cleared_it(alice: User, scanner: Scanner) -> None:
    stored = keep(alice, b"x" * 700_000)
    assert (stored.scan, stored.is_served) == ("pending", False)
    assert scan_waiting(NOW) == {"clean": 1, "quarantined": 0}
    stored.refresh_from_db()
    assert (stored.scan, stored.is_served, stored.scanned_at) == ("clean", True, NOW)
    assert scanner.seen == [700_000]


@pytest.mark.attack("dangerous file names and types")
def test_what_the_scanner_finds_is_quarantined_with_its_name(alice: User, scanner: Scanner) -> None:
    stored = keep(alice, b"x" * 300_000 + EICAR)
    scan_waiting(NOW)
    stored.refresh_from_db()
    assert (stored.scan, stored.scan_finding, stored.is_served) == (
        "quarantined",
        "Eicar-Test-Signature",
        False,
    )
    assert scan_waiting(NOW) == {"clean": 0, "quarantined": 0}


def test_what_is_too_long_for_the_scanner_is_not_called_clean(alice: User, scanner: Scanner) -> None:
    scanner.longest = 1000
    stored = keep(alice, b"x" * 2_000_000)
    scan_waiting(NOW)
    stored.refresh_from_db()
    assert stored.scan == "quarantined"
    assert "StreamMaxLength" in stored.scan_finding


@pytest.mark.parametrize("says", [b"stream: Can't allocate memory ERROR\0", b"\0", b"nonsense\0"])
def test_a_scanner_that_gives_no_verdict_is_asked_again(alice: User, scanner: Scanner, says: bytes) -> None:
    stored = keep(alice, b"x")
    scanner.says = says
    assert scan_waiting(NOW) == {"clean": 0, "quarantined": 0}
    stored.refresh_from_db()
    assert (stored.scan, stored.scan_began_at) == ("pending", None)
    scanner.says = b""
    assert scan_waiting(NOW)["clean"] == 1


def test_a_scanner_that_is_not_there_leaves_files_waiting(alice: User, settings: Any) -> None:
    settings.CLAMD_URL = "tcp://127.0.0.1:9"
    stored = keep(alice, b"x")
    assert scan_waiting(NOW) == {"clean": 0, "quarantined": 0}
    stored.refresh_from_db()
    assert stored.scan == "pending"


def test_two_runners_do_not_scan_the_same_file_and_a_dead_one_is_replaced(
    alice: User, scanner: Scanner
) -> None:
    stored = keep(alice, b"x")
    StoredFile.objects.update(scan_began_at=NOW)
    assert scan_waiting(NOW + timedelta(minutes=1))["clean"] == 0
    assert not scanning._claim(stored, NOW + GIVEN_UP)
    assert scan_waiting(NOW + GIVEN_UP + timedelta(seconds=1))["clean"] == 1


def test_a_scanner_that_is_taken_away_does_not_lock_files_up(
    alice: User, scanner: Scanner, settings: Any
) -> None:
    stored = keep(alice, b"x")
    settings.CLAMD_URL = ""
    assert start_scanning(NOW) == {"not scanned": 1}
    stored.refresh_from_db()
    assert stored.is_served


@pytest.mark.django_db(transaction=True)
def test_the_job_scans_beside_the_loop_that_calls_it(alice: User, scanner: Scanner) -> None:
    assert start_scanning(NOW) == {}
    stored = keep(alice, EICAR)
    assert start_scanning(NOW) == {"rounds begun": 1}
    for thread in [t for t in threading.enumerate() if t.name == "scanner"]:
        thread.join(10)
    stored.refresh_from_db()
    assert stored.scan == "quarantined"


@pytest.mark.parametrize("url", ["clamd:3310", "http://127.0.0.1:3310", "tcp://"])
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="CLAMD_URL"):
        scan([b"x"], url=url)


def test_a_socket_that_is_not_there_is_no_verdict(tmp_path: Any) -> None:
    with pytest.raises(ScannerUnavailable):
        scan([b"x"], url=f"unix://{tmp_path}/none.ctl")
