"""Taking bytes in."""

import hashlib
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from files.models import StoredFile

CHUNK = 256 * 1024
LONGEST_NAME = 200


class FileRefused(Exception):
    """The upload was not taken; the message says why."""


def safe_name(name: str) -> str:
    """The last part of the name, without control, format or path characters, at most 200 long."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c for c in base if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")).strip()
    stem, dot, ending = kept.rpartition(".")
    if len(kept) > LONGEST_NAME and dot:
        return stem[: LONGEST_NAME - len(ending) - 1] + dot + ending[: LONGEST_NAME // 2]
    return kept[:LONGEST_NAME] or "file"


class _Hashing(File[bytes]):
    """Takes the SHA-256 while the storage reads: the bytes are read once, and a temporary file is not just moved."""

    def __init__(self, source: UploadedFile[Any]) -> None:
        super().__init__(source.file, source.name)
        self.sha256 = hashlib.sha256()
        self.taken = 0

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        for chunk in super().chunks(chunk_size or CHUNK):
            self.sha256.update(chunk)
            self.taken += len(chunk)
            yield chunk


@transaction.atomic
def store_upload(*, uploaded: UploadedFile[Any], by: User, now: datetime) -> StoredFile:
    """Keep an upload with its size and SHA-256. It streams, whatever its size.

    Raises: FileRefused when it is empty or larger than FILE_MAX_BYTES.
    """
    assert by.acting is not None
    name = safe_name(uploaded.name or "")
    if not uploaded.size:
        raise FileRefused(_("%(name)s is empty.") % {"name": name})
    if uploaded.size > settings.FILE_MAX_BYTES:
        limit = settings.FILE_MAX_BYTES // 1024**2
        raise FileRefused(_("%(name)s is larger than %(limit)d MB.") % {"name": name, "limit": limit})
    stored = StoredFile(
        name=name, content_type="application/octet-stream", uploaded_by=by.acting, created_at=now
    )
    hashing = _Hashing(uploaded)
    target = stored.content.field.generate_filename(stored, name)
    stored.content.name = stored.content.storage.save(target, hashing)
    stored.sha256, stored.size = hashing.sha256.hexdigest(), hashing.taken
    stored.save()
    return stored
