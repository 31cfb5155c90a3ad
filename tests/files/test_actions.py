"""Files into the store: by a form, and by the number of an upload, exactly once and by its owner only."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.db import connection, transaction
from django.utils import timezone

from accounts import actions as accounts_actions
from accounts.models import User
from files import receiving
from files.actions import FileRefused, start_upload, store_upload, take_in, take_upload
from files.errors import NoRoom, UploadExpired, UploadUnknown
from files.models import StoredFile, Upload
from files.receiving import receive

NOW = timezone.now()


def reader(content: bytes, *, breaks_at: int | None = None) -> Callable[[int], bytes]:
    stream = io.BytesIO(content)

    def read(size: int) -> bytes:
        if breaks_at is not None and stream.tell() >= breaks_at:
            raise ConnectionResetError
        return stream.read(min(size, 1000))

    return read


def begin(by: User, content: bytes, name: str = "core.tgz") -> Upload:
    return start_upload(name=name, length=len(content), declared_type="text/html", by=by, now=NOW)


def arrived(by: User, content: bytes, name: str = "core.tgz") -> Upload:
    upload = begin(by, content, name)
    return receive(upload=upload, offset=0, size=len(content), read=reader(content), by=by, now=NOW)


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../../etc/cron.d/evil", bytes(5_000_000))
    return out.getvalue()


@pytest.mark.attack("dangerous file names and types")
@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("evil.html", b"<html><script>alert(1)</script>", "text/html"),
        ("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "image/svg+xml"),
        (".htaccess", b"AddHandler x .png\n", "text/plain"),
        ("photo.php.png", b"\x89PNG\r\n\x1a\n" + bytes(40), "image/png"),
        ("bomb.zip", bomb(), "application/zip"),
        ("core", bytes(range(256)) * 4, "application/octet-stream"),
        ("로그.txt", "장애 접수".encode() * 3000, "text/plain"),
    ],
)
@pytest.mark.parametrize("way", ["form", "upload"])
def test_whatever_comes_is_kept_as_it_came_and_its_type_is_read_from_its_content(
    alice: User, name: str, content: bytes, kind: str, way: str
) -> None:
    if way == "form":
        uploaded = SimpleUploadedFile(name, content, "image/png")
        stored = store_upload(uploaded=uploaded, by=alice, now=NOW)
    else:
        stored = take_upload(upload_id=arrived(alice, content, name).pk, by=alice, now=NOW)
    assert (stored.name, stored.size, stored.content_type) == (name, len(content), kind)
    assert stored.declared_type == ("image/png" if way == "form" else "text/html")
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert b"".join(stored.pieces()) == content


def test_a_large_form_file_is_hashed_while_the_store_takes_it_in_folder_and_bucket(
    alice: User, request: Any
) -> None:
    content = bytes(range(256)) * 100_000
    for place in ("folder", "bucket"):
        if place == "bucket":
            request.getfixturevalue("bucket")
        with TemporaryUploadedFile("big.bin", "", len(content), None) as uploaded:
            uploaded.write(content)
            uploaded.seek(0)
            stored = store_upload(uploaded=uploaded, by=alice, now=NOW)
        assert (stored.sha256, stored.size) == (hashlib.sha256(content).hexdigest(), len(content))
        assert b"".join(stored.pieces()) == content


def test_an_upload_into_a_bucket_leaves_nothing_on_the_disk(alice: User, bucket: None, settings: Any) -> None:
    content = b"0123456789" * 2_000_000  # more than one part
    stored = take_upload(upload_id=arrived(alice, content).pk, by=alice, now=NOW)
    assert b"".join(stored.pieces(19_999_990)) == b"0123456789"
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert not list(receiving.parts.incoming().iterdir())


def test_what_arrived_before_the_connection_broke_is_kept_and_goes_on(alice: User) -> None:
    content = b"abc" * 10_000
    upload = begin(alice, content)
    with pytest.raises(ConnectionResetError):
        receive(
            upload=upload,
            offset=0,
            size=len(content),
            read=reader(content, breaks_at=12_000),
            by=alice,
            now=NOW,
        )
    upload.refresh_from_db()
    assert upload.offset == 12_000
    rest = reader(content[12_000:])
    done = receive(upload=upload, offset=12_000, size=len(content) - 12_000, read=rest, by=alice, now=NOW)
    assert done.stored is not None
    assert done.stored.sha256 == hashlib.sha256(content).hexdigest()


def test_a_sender_that_stops_early_is_not_taken_for_complete(alice: User) -> None:
    upload = begin(alice, b"x" * 5000)
    after = receive(upload=upload, offset=0, size=5000, read=reader(b"x" * 3000), by=alice, now=NOW)
    assert (after.offset, after.stored) == (3000, None)


def test_a_disk_that_fills_up_is_said_and_nothing_is_lost(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begin(alice, b"x" * 5000)

    def full(*_args: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(receiving.os, "pwrite", full)
    with pytest.raises(NoRoom):
        receive(upload=upload, offset=0, size=5000, read=reader(b"x" * 5000), by=alice, now=NOW)
    monkeypatch.undo()
    assert receive(upload=upload, offset=0, size=5000, read=reader(b"x" * 5000), by=alice, now=NOW).stored


def test_a_database_that_fails_at_the_end_costs_nobody_their_upload(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begin(alice, b"x" * 5000)

    def fails(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(receiving, "_settle", fails)
    with pytest.raises(RuntimeError):
        receive(upload=upload, offset=0, size=5000, read=reader(b"x" * 5000), by=alice, now=NOW)
    monkeypatch.undo()
    again = receive(upload=upload, offset=5000, size=0, read=reader(b""), by=alice, now=NOW)
    assert again.stored is not None
    assert b"".join(again.stored.pieces()) == b"x" * 5000


def test_this_process_takes_only_so_many_at_once(alice: User) -> None:
    upload = begin(alice, b"x")
    places = [receiving._places.acquire(blocking=False) for _turn in range(4)]
    try:
        with pytest.raises(FileRefused) as refusal:
            receive(upload=upload, offset=0, size=1, read=reader(b"x"), by=alice, now=NOW)
        assert refusal.value.status == 423
    finally:
        for _place in filter(None, places):
            receiving._places.release()
    assert receive(upload=upload, offset=0, size=1, read=reader(b"x"), by=alice, now=NOW).stored


def test_an_upload_is_taken_exactly_once(alice: User) -> None:
    upload = arrived(alice, b"x")
    stored = take_upload(upload_id=upload.pk, by=alice, now=NOW)
    assert stored.pk == upload.pk
    with pytest.raises(UploadUnknown):
        take_upload(upload_id=upload.pk, by=alice, now=NOW)


def test_a_form_that_fails_gives_the_upload_back(alice: User) -> None:
    upload = arrived(alice, b"x")
    point = transaction.savepoint()
    take_in(sent=[upload.pk], by=alice, now=NOW)
    transaction.savepoint_rollback(point)
    assert take_in(sent=[upload.pk], by=alice, now=NOW)


@pytest.mark.attack("another customer's upload session", "foreign ids in the body")
def test_unfinished_expired_foreign_and_invented_numbers_are_refused_alike(alice: User, anna: User) -> None:
    late = arrived(alice, b"x")
    Upload.objects.filter(pk=late.pk).update(created_at=NOW - timedelta(days=9), expires_at=NOW)
    numbers = [begin(alice, b"x").pk, late.pk, arrived(anna, b"x").pk, uuid4(), UUID(int=0)]
    said = set()
    for number in numbers:
        with pytest.raises(UploadUnknown) as refusal:
            take_upload(upload_id=number, by=alice, now=NOW)
        said.add(str(refusal.value))
    assert len(said) == 1


def test_what_somebody_was_sending_ends_with_their_membership(alice: User, anna: User, sam: User) -> None:
    upload = begin(anna, b"x" * 10)
    later = NOW + timedelta(minutes=1)
    assert anna.acting is not None
    accounts_actions.end_membership(
        membership=anna.acting, reason="Left", successor=alice.acting, by=alice, now=later
    )
    upload.refresh_from_db()
    assert upload.expires_at == later
    with pytest.raises(UploadExpired):
        receive(upload=upload, offset=0, size=10, read=reader(b"x" * 10), by=anna, now=later)


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("files_upload_length_is_positive", {"length": 0}),
        ("files_upload_offset_is_within_length", {"offset": 11}),
        ("files_upload_offset_is_within_length", {"offset": -1}),
        ("files_upload_expires_after_it_began", {"expires_at": NOW - timedelta(days=1)}),
    ],
)
def test_the_database_refuses_an_upload_that_makes_no_sense(
    alice: User, constraint: str, values: dict[str, Any]
) -> None:
    upload = begin(alice, b"x" * 10)
    with pytest.raises(Exception, match=constraint), transaction.atomic():
        Upload.objects.filter(pk=upload.pk).update(**values)


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("files_storedfile_scan_is_known", {"scan": "fine"}),
        ("files_storedfile_verdict_has_its_time", {"scan": "clean"}),
        ("files_storedfile_verdict_has_its_time", {"scanned_at": NOW}),
        ("files_storedfile_size_is_not_negative", {"size": -1}),
        ("files_storedfile_sha256_is_64_hex_digits", {"sha256": "x"}),
    ],
)
def test_the_database_refuses_a_file_that_makes_no_sense(
    alice: User, constraint: str, values: dict[str, Any]
) -> None:
    stored = store_upload(uploaded=SimpleUploadedFile("a", b"a"), by=alice, now=NOW)
    with pytest.raises(Exception, match=constraint), transaction.atomic():
        StoredFile.objects.filter(pk=stored.pk).update(**values)


def test_an_incomplete_upload_has_no_file(alice: User) -> None:
    stored = store_upload(uploaded=SimpleUploadedFile("a", b"a"), by=alice, now=NOW)
    upload = begin(alice, b"x" * 10)
    with pytest.raises(Exception, match="files_upload_stored_is_complete"), transaction.atomic():
        Upload.objects.filter(pk=upload.pk).update(stored=stored)


def test_taking_files_asks_little_of_the_database(alice: User, django_assert_max_num_queries: Any) -> None:
    upload = arrived(alice, b"x")
    with django_assert_max_num_queries(6, connection=connection):
        take_in(sent=[upload.pk], by=alice, now=NOW)
