"""What comes out, whole or in ranges, from a folder and from a bucket: always as a download."""

import base64
import hashlib
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponseBase
from django.test import RequestFactory
from django.utils import timezone

from accounts.models import User
from files.actions import store_upload
from files.downloads import etag, serve
from files.models import StoredFile

CONTENT = bytes(range(256)) * 4000
SIZE = len(CONTENT)


@pytest.fixture(params=["folder", "bucket"])
def stored(request: Any, alice: User) -> StoredFile:
    if request.param == "bucket":
        request.getfixturevalue("bucket")
    upload = SimpleUploadedFile("rpd.core", CONTENT, "text/html")
    return store_upload(uploaded=upload, by=alice, now=timezone.now())


def get(stored: StoredFile, method: str = "get", **headers: str) -> HttpResponseBase:
    return serve(stored, getattr(RequestFactory(), method)("/", headers=headers))


def body(response: Any) -> bytes:
    return b"".join(response) if response.streaming else response.content


def test_the_whole_file_is_an_attachment_with_its_hash(stored: StoredFile) -> None:
    response = get(stored)
    assert (response.status_code, body(response)) == (200, CONTENT)
    assert response["Content-Disposition"] == 'attachment; filename="rpd.core"'
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox")
    assert (response["Content-Length"], response["Accept-Ranges"]) == (str(SIZE), "bytes")
    digest = hashlib.sha256(CONTENT)
    assert response["ETag"] == f'"{digest.hexdigest()}"'
    assert response["Repr-Digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-1023", 0, 1024),
        ("bytes=300000-", 300000, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        ("bytes=-999999999", 0, SIZE),
        (f"bytes={SIZE - 1}-{SIZE + 5}", SIZE - 1, SIZE),
    ],
)
def test_a_range_gives_exactly_its_bytes(stored: StoredFile, asked: str, start: int, stop: int) -> None:
    response = get(stored, Range=asked)
    assert body(response) == CONTENT[start:stop]
    assert response["Content-Length"] == str(stop - start)
    is_part = stop - start < SIZE
    assert response.status_code == (206 if is_part else 200)
    assert response.get("Content-Range") == (f"bytes {start}-{stop - 1}/{SIZE}" if is_part else None)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 9}-{SIZE + 10}", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(stored: StoredFile, asked: str) -> None:
    response = get(stored, Range=asked)
    assert (response.status_code, response["Content-Range"]) == (416, f"bytes */{SIZE}")
    assert body(response) == b""


@pytest.mark.parametrize(
    "asked",
    ["bytes=5-1", "bytes=-", "bytes=a-b", "lines=0-1", "bytes=0-1,4-5", "bytes=٣-٤", "bytes=" + "9" * 40],
)
def test_a_range_that_says_nothing_to_us_gets_the_whole(stored: StoredFile, asked: str) -> None:
    response = get(stored, Range=asked)
    assert (response.status_code, response["Content-Length"]) == (200, str(SIZE))
    response.close()


def test_a_download_goes_on_only_if_the_file_is_still_the_same(stored: StoredFile) -> None:
    same = get(stored, Range="bytes=100-", **{"If-Range": etag(stored)})
    other = get(stored, Range="bytes=100-", **{"If-Range": '"another"'})
    dated = get(stored, Range="bytes=100-", **{"If-Range": same["Last-Modified"]})
    assert [same.status_code, other.status_code, dated.status_code] == [206, 200, 200]
    for response in (same, other, dated):
        response.close()


def test_a_head_says_everything_and_sends_nothing(stored: StoredFile) -> None:
    whole, part = get(stored, "head"), get(stored, "head", Range="bytes=0-9")
    assert (whole.status_code, whole["Content-Length"], body(whole)) == (200, str(SIZE), b"")
    assert (part.status_code, part["Content-Length"], body(part)) == (206, "10", b"")


@pytest.mark.parametrize("state", ["pending", "quarantined"])
def test_what_the_scanner_has_not_cleared_is_not_given_out(stored: StoredFile, state: str) -> None:
    stored.scan = state
    with pytest.raises(PermissionDenied):
        get(stored)
    with pytest.raises(PermissionDenied):
        get(stored, "head")


@pytest.mark.attack("header injection and CSV formulas", "dangerous file names and types")
@pytest.mark.parametrize(
    "name", ["a\r\nX-Evil: 1.txt", 'x";filename=evil.html', "장애 로그.txt", "a\\b.txt", "\u202etxt.exe"]
)
def test_a_file_name_adds_nothing_to_the_headers(alice: User, name: str) -> None:
    upload = SimpleUploadedFile("x", b"x")
    upload._name = name
    response = get(store_upload(uploaded=upload, by=alice, now=timezone.now()))
    said = response["Content-Disposition"]
    assert said.startswith("attachment; filename")
    assert "\r" not in said
    assert "\n" not in said
    assert "X-Evil" not in response
    response.close()
