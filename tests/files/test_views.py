"""The tus protocol as a client sees it, and those who should not."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from files import digests, parts
from files.actions import start_upload, take_upload
from files.errors import UploadUnknown
from files.models import StoredFile, Upload
from tests.conftest import SignIn
from tests.files.conftest import UPLOADS, Tus

CONTENT = b"0123456789" * 1000


@pytest.fixture
def tus(alice: User, sign_in: SignIn) -> Tus:
    return Tus(sign_in(alice))


def test_the_server_says_what_it_can_do(tus: Tus, settings: Any) -> None:
    answer = tus.client.options(UPLOADS)
    assert (answer.status_code, answer["Tus-Version"]) == (204, "1.0.0")
    assert answer["Tus-Extension"] == "creation,expiration,termination"
    assert answer["Tus-Max-Size"] == str(settings.FILE_MAX_BYTES)


def test_a_file_in_one_go_becomes_a_stored_file_with_its_hash_and_type(tus: Tus, alice: User) -> None:
    answer = tus.whole(b"%PDF-1.7\n" + CONTENT, "design.html")
    stored = StoredFile.objects.get(pk=UUID(answer["Upload-File"]))
    assert (answer.status_code, answer["Upload-Offset"]) == (204, str(len(CONTENT) + 9))
    assert stored.sha256 == hashlib.sha256(b"%PDF-1.7\n" + CONTENT).hexdigest()
    assert (stored.name, stored.content_type, stored.uploaded_by) == (
        "design.html",
        "application/pdf",
        alice.acting,
    )
    assert b"".join(stored.pieces()) == b"%PDF-1.7\n" + CONTENT
    assert list(Path(stored.content.storage.path("incoming")).iterdir()) == []


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_file_in_pieces_has_the_same_hash_wherever_the_pieces_were_taken(
    tus: Tus, is_restarted: bool
) -> None:
    url = tus.begin(len(CONTENT))["Location"]
    for at in range(0, len(CONTENT), 4096):
        piece = CONTENT[at : at + 4096]
        answer = tus.send(url, at, piece)
        assert (answer.status_code, answer["Upload-Offset"]) == (204, str(at + len(piece)))
        assert tus.look(url)["Upload-Offset"] == str(at + len(piece))
        if is_restarted:
            digests._states.clear()
    stored = StoredFile.objects.get(pk=UUID(tus.look(url)["Upload-File"]))
    assert stored.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert b"".join(stored.pieces()) == CONTENT


def test_bytes_that_a_crash_left_behind_the_noted_offset_are_written_anew(tus: Tus, settings: Any) -> None:
    url = tus.begin(len(CONTENT))["Location"]
    tus.send(url, 0, CONTENT[:3000])
    part = Path(settings.MEDIA_ROOT) / "incoming" / Upload.objects.get().pk.hex
    part.write_bytes(CONTENT[:3000] + b"torn")
    digests._states.clear()
    tus.send(url, 3000, CONTENT[3000:])
    assert StoredFile.objects.get().sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_an_upload_whose_bytes_are_lost_begins_again_instead_of_keeping_a_hole(
    tus: Tus, settings: Any
) -> None:
    url = tus.begin(len(CONTENT))["Location"]
    tus.send(url, 0, CONTENT[:3000])
    (Path(settings.MEDIA_ROOT) / "incoming" / Upload.objects.get().pk.hex).write_bytes(b"")
    assert tus.send(url, 3000, CONTENT[3000:]).status_code == 409
    assert tus.look(url)["Upload-Offset"] == "0"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Content-Type": "application/octet-stream"}, 415),
        ({"Upload-Offset": "5"}, 409),
        ({"Upload-Offset": "-1"}, 400),
        ({"Upload-Offset": "1e3"}, 400),
        ({"Upload-Offset": "9" * 30}, 400),
        ({"Content-Length": "10001"}, 413),
    ],
)
def test_a_wrong_patch_is_refused_and_takes_nothing(tus: Tus, headers: dict[str, str], status: int) -> None:
    url = tus.begin(len(CONTENT))["Location"]
    answer = tus.send(url, 0, CONTENT[:10], **headers)
    assert (answer.status_code, answer["Tus-Resumable"]) == (status, "1.0.0")
    assert tus.look(url)["Upload-Offset"] == "0"


@pytest.mark.parametrize(
    ("length", "headers", "status"),
    [
        ("", {}, 400),
        ("x", {}, 400),
        ("-5", {}, 400),
        ("0", {}, 400),
        (2 * 1024**3 + 1, {}, 413),
        (5, {"Tus-Resumable": ""}, 412),
        (5, {"Upload-Metadata": "filename ***"}, 400),
        (5, {"Upload-Metadata": "filename /////w=="}, 400),
    ],
)
@pytest.mark.attack("dangerous file names and types")
def test_a_wrong_beginning_is_refused_with_its_reason(
    tus: Tus, length: int | str, headers: dict[str, str], status: int
) -> None:
    answer = tus.begin(length, **headers)
    assert answer.status_code == status
    assert answer.content.decode()
    assert not Upload.objects.exists()


def test_two_requests_never_write_to_one_upload(tus: Tus) -> None:
    url = tus.begin(len(CONTENT))["Location"]
    with parts.held(Upload.objects.get().pk):
        answer = tus.send(url, 0, CONTENT)
        assert (answer.status_code, answer["Retry-After"]) == (423, "2")
        assert tus.cancel(url).status_code == 423
    assert tus.send(url, 0, CONTENT).status_code == 204


def test_a_complete_upload_asked_again_answers_the_same(tus: Tus) -> None:
    answer = tus.whole(CONTENT)
    url = f"{UPLOADS}{Upload.objects.get().pk}/"
    again = tus.send(url, len(CONTENT), b"")
    assert (again.status_code, again["Upload-File"]) == (204, answer["Upload-File"])
    assert StoredFile.objects.count() == 1


def test_a_cancelled_upload_leaves_nothing(
    tus: Tus, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    half = tus.begin(len(CONTENT))["Location"]
    tus.send(half, 0, CONTENT[:100])
    with django_capture_on_commit_callbacks(execute=True):
        assert tus.cancel(half).status_code == 204
    tus.whole(CONTENT)
    with django_capture_on_commit_callbacks(execute=True):
        assert tus.cancel(f"{UPLOADS}{Upload.objects.get().pk}/").status_code == 204
    assert tus.look(half).status_code == 404
    assert not StoredFile.objects.exists()
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_an_expired_upload_is_gone_for_its_owner(tus: Tus) -> None:
    url = tus.begin(10)["Location"]
    Upload.objects.update(created_at=timezone.now() - timedelta(days=2), expires_at=timezone.now())
    assert (tus.look(url).status_code, tus.send(url, 0, b"x").status_code) == (410, 410)


@pytest.mark.attack("another customer's upload session")
def test_a_foreign_upload_looks_like_none_whatever_is_tried(
    tus: Tus, mallory: User, anna: User, sign_in: SignIn
) -> None:
    url = tus.begin(len(CONTENT))["Location"]
    tus.send(url, 0, CONTENT[:100])
    for stranger in (mallory, anna):
        other = Tus(sign_in(stranger))
        missing = f"{UPLOADS}{uuid4()}/"
        for act in (other.look, other.cancel, lambda path, by=other: by.send(path, 100, b"x")):
            foreign, none = act(url), act(missing)
            assert (foreign.status_code, foreign.content) == (404, none.content)
            assert sorted(foreign.headers.items()) == sorted(none.headers.items())
        answer = tus.whole(b"secret")
        with pytest.raises(UploadUnknown) as refusal:
            take_upload(upload_id=UUID(answer["Upload-File"]), by=stranger, now=timezone.now())
        with pytest.raises(UploadUnknown) as unknown:
            take_upload(upload_id=uuid4(), by=stranger, now=timezone.now())
        assert str(refusal.value) == str(unknown.value)
    assert tus.look(url)["Upload-Offset"] == "100"


@pytest.mark.attack("another customer's upload session", "read-only role tries every write")
def test_strangers_and_auditors_cannot_upload(aki: User, sign_in: SignIn) -> None:
    assert Tus(sign_in(aki)).begin(10).status_code == 403
    assert Tus(Client()).begin(10).status_code == 302
    assert not Upload.objects.exists()


@pytest.mark.attack("cross-site request, framing, sniffing, inline script")
def test_another_site_cannot_begin_or_fill_an_upload(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    tus = Tus(client)
    assert tus.begin(10).status_code == 403
    upload = start_upload(name="a", length=10, declared_type="", by=alice, now=timezone.now())
    assert tus.send(f"{UPLOADS}{upload.pk}/", 0, b"x").status_code == 403
    assert tus.cancel(f"{UPLOADS}{upload.pk}/").status_code == 403


@pytest.mark.attack("dangerous file names and types")
@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/absolute/.htaccess", ".htaccess"),
        ("a\r\nSet-Cookie: x=1.txt", "aSet-Cookie: x=1.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("x" * 300 + ".tar.gz", "x" * 197 + ".gz"),
        ("", "file"),
        ("page.html.png", "page.html.png"),
    ],
)
def test_a_name_is_never_more_than_a_name(tus: Tus, name: str, kept: str) -> None:
    stored = StoredFile.objects.get(pk=UUID(tus.whole(b"<html>", name)["Upload-File"]))
    assert stored.name == kept
    assert stored.content.name == f"{stored.created_at:%Y/%m}/{stored.pk.hex}"


@pytest.mark.attack("dangerous file names and types")
def test_a_person_cannot_pile_up_uploads(tus: Tus, settings: Any, anna: User, sign_in: SignIn) -> None:
    settings.UPLOADS_MAX, settings.UPLOADS_MAX_BYTES = 3, 1000
    assert [tus.begin(300).status_code for _turn in range(5)] == [201, 201, 201, 429, 429]
    other = Tus(sign_in(anna))
    assert [other.begin(600).status_code for _turn in range(2)] == [201, 429]
    assert Upload.objects.count() == 4


def test_a_full_disk_is_said_before_anything_is_sent(tus: Tus, settings: Any) -> None:
    settings.FILE_DISK_RESERVE_BYTES = 2**62
    answer = tus.begin(10)
    assert answer.status_code == 507
    assert "no room" in answer.content.decode()
