"""What nobody came back for goes; what a form took stays."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from files import parts
from files.actions import take_upload
from files.expiry import expire_uploads
from files.models import StoredFile, Upload
from tests.files.test_actions import arrived, begin

NOW = timezone.now()


@pytest.fixture
def expire(django_capture_on_commit_callbacks: Any) -> Any:
    def _expire(now: Any) -> dict[str, int]:
        with django_capture_on_commit_callbacks(execute=True):
            return expire_uploads(now)

    return _expire


def files_of(settings: Any) -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


@pytest.mark.parametrize(("after", "left"), [(-1, 1), (0, 0), (1, 0)])
def test_an_unfinished_upload_goes_after_a_day(
    alice: User, settings: Any, expire: Any, after: int, left: int
) -> None:
    begin(alice, b"x" * 10)
    done = expire(NOW + timedelta(hours=24, seconds=after))
    assert (done["expired uploads"], Upload.objects.count(), len(files_of(settings))) == (
        1 - left,
        left,
        left,
    )


@pytest.mark.parametrize(("after", "left"), [(-1, 1), (0, 0)])
def test_a_finished_upload_that_no_form_took_goes_after_a_week(
    alice: User, settings: Any, expire: Any, after: int, left: int
) -> None:
    arrived(alice, b"x" * 10)
    expire(NOW + timedelta(days=7, seconds=after))
    assert (Upload.objects.count(), StoredFile.objects.count(), len(files_of(settings))) == (left, left, left)


def test_a_file_that_a_form_took_stays_for_ever(alice: User, settings: Any, expire: Any) -> None:
    take_upload(upload_id=arrived(alice, b"x" * 10).pk, by=alice, now=NOW)
    expire(NOW + timedelta(days=4000))
    assert (StoredFile.objects.count(), len(files_of(settings))) == (1, 1)


def test_what_is_being_written_is_left_alone(alice: User, expire: Any) -> None:
    upload = begin(alice, b"x" * 10)
    with parts.held(upload.pk):
        assert expire(NOW + timedelta(days=2))["expired uploads"] == 0
    assert expire(NOW + timedelta(days=2))["expired uploads"] == 1


def test_part_files_that_no_row_knows_are_swept_up_when_they_are_old(
    alice: User, settings: Any, expire: Any
) -> None:
    begin(alice, b"x" * 10)
    folder = Path(settings.MEDIA_ROOT) / "incoming"
    for name in ("0" * 32, "1" * 32, "README"):
        (folder / name).write_bytes(b"stray")
    old = (NOW - timedelta(days=3)).timestamp()
    os.utime(folder / ("0" * 32), (old, old))
    os.utime(folder / "README", (old, old))
    assert expire(NOW)["stray part files"] == 1
    assert min(path.name for path in folder.iterdir()) != "0" * 32
    assert len(files_of(settings)) == 3
