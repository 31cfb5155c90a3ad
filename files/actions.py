"""Taking files in: whole ones from a form, and the beginning and the end of resumable uploads."""

import hashlib
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import Membership, User
from files import parts
from files.detection import HEAD, claimed_type, content_type
from files.errors import FileRefused, FileTooLarge, NoRoom, TooManyUploads, UploadUnknown
from files.models import StoredFile, Upload
from files.storage import has_room_for

__all__ = [
    "FileRefused",
    "Sent",
    "drop_upload",
    "drop_uploads_of",
    "safe_name",
    "start_upload",
    "store_upload",
    "take_in",
    "take_upload",
]

CHUNK: Final = 256 * 1024
LONGEST_NAME: Final = 200
# a file of the form itself, or the number of an upload that came in before
Sent = Sequence["UploadedFile[Any] | UUID"]


def safe_name(name: str) -> str:
    """The last part of the name, without control, format or path characters, at most 200 long."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c for c in base if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")).strip()
    stem, dot, ending = kept.rpartition(".")
    if len(kept) > LONGEST_NAME and dot:
        return stem[: LONGEST_NAME - len(ending) - 1] + dot + ending[: LONGEST_NAME // 2]
    return kept[:LONGEST_NAME] or "file"


def _check_size(name: str, size: int) -> None:
    if size <= 0:
        raise FileRefused(_("%(name)s is empty.") % {"name": name})
    if size > settings.FILE_MAX_BYTES:
        limit = settings.FILE_MAX_BYTES // 1024**2
        raise FileTooLarge(_("%(name)s is larger than %(limit)d MB.") % {"name": name, "limit": limit})


def first_scan() -> str:
    """What a file that has just arrived is to the scanner."""
    return StoredFile.Scan.PENDING if settings.CLAMD_URL else StoredFile.Scan.NOT_SCANNED


class _Hashing(File[bytes]):
    """Takes the SHA-256 while the storage reads: the bytes are read once, and a temporary file is not just moved."""

    DEFAULT_CHUNK_SIZE = CHUNK

    def __init__(self, source: UploadedFile[Any]) -> None:
        assert source.file is not None
        super().__init__(source.file, source.name)
        self._source = source.file
        self.sha256 = hashlib.sha256()
        self.taken = 0
        self.head = b""

    def read(self, size: int | None = -1) -> bytes:
        """What every storage reads by; it may begin again at the start, and nowhere else."""
        chunk: bytes = self._source.read(-1 if size is None else size)
        self._took(chunk)
        return chunk

    def seek(self, offset: int, whence: int = 0) -> int:
        if offset == 0 and whence == 0:
            self.sha256, self.taken, self.head = hashlib.sha256(), 0, b""
        return int(self._source.seek(offset, whence))

    def _took(self, chunk: bytes) -> None:
        self.sha256.update(chunk)
        self.taken += len(chunk)
        if len(self.head) < HEAD:
            self.head += chunk[: HEAD - len(self.head)]


@transaction.atomic
def store_upload(*, uploaded: UploadedFile[Any], by: User, now: datetime) -> StoredFile:
    """Keep an upload with its size and SHA-256. It streams, whatever its size.

    Raises: FileRefused when it is empty or larger than FILE_MAX_BYTES.
    """
    assert by.acting is not None
    name = safe_name(uploaded.name or "")
    _check_size(name, uploaded.size or 0)
    stored = StoredFile(
        name=name,
        declared_type=claimed_type(uploaded.content_type or ""),
        scan=first_scan(),
        uploaded_by=by.acting,
        created_at=now,
    )
    hashing = _Hashing(uploaded)
    target = stored.content.field.generate_filename(stored, name)
    stored.content.name = stored.content.storage.save(target, hashing)
    stored.sha256, stored.size = hashing.sha256.hexdigest(), hashing.taken
    stored.content_type = content_type(hashing.head)
    stored.save()
    return stored


@transaction.atomic
def start_upload(*, name: str, length: int, declared_type: str, by: User, now: datetime) -> Upload:
    """Begin a resumable upload of `length` bytes. Unfinished, it expires after UPLOAD_HOURS.

    Raises: FileRefused for an empty file, FileTooLarge; TooManyUploads beyond UPLOADS_MAX or UPLOADS_MAX_BYTES
    that no form has taken yet; NoRoom."""
    assert by.acting is not None
    name = safe_name(name)
    _check_size(name, length)
    # held, so that two beginnings at once do not both find the last place free
    owner = Membership.objects.select_for_update(of=("self",), no_key=True).get(pk=by.acting.pk)
    waiting = Upload.objects.filter(owner=owner)
    total = waiting.aggregate(total=Sum("length"))["total"] or 0
    if waiting.count() >= settings.UPLOADS_MAX or total + length > settings.UPLOADS_MAX_BYTES:
        raise TooManyUploads(
            _("Too many of your uploads wait for their form. Send what you have, or cancel some, then go on.")
        )
    if not has_room_for(length):
        raise NoRoom(_("The portal has no room for this file now. Please tell us by telephone."))
    upload = Upload.objects.create(
        owner=owner,
        name=name,
        declared_type=claimed_type(declared_type),
        length=length,
        created_at=now,
        expires_at=now + timedelta(hours=settings.UPLOAD_HOURS),
    )
    parts.make(upload.pk)
    return upload


@transaction.atomic
def take_upload(*, upload_id: UUID, by: User, now: datetime) -> StoredFile:
    """The file of one's own finished upload, for the form that it was chosen for: exactly once.

    Part of the transaction of that form: if that fails the upload waits as before. Raises: UploadUnknown for one
    that is somebody else's, unfinished, expired, taken, or never was."""
    mine = Upload.objects.visible_to(by).filter(pk=upload_id, expires_at__gt=now).exclude(stored=None)
    upload = mine.select_for_update(of=("self",)).first()
    if upload is None or upload.stored is None:
        raise UploadUnknown(_("This upload is not there any more. Choose the file again."))
    upload.delete()
    return upload.stored


def take_in(*, sent: Sent, by: User, now: datetime) -> list[StoredFile]:
    """Everything that a form was sent with, in its order: files, and numbers of uploads.

    Raises: FileRefused and its kinds."""
    return [
        take_upload(upload_id=one, by=by, now=now)
        if isinstance(one, UUID)
        else store_upload(uploaded=one, by=by, now=now)
        for one in sent
    ]


@transaction.atomic
def drop_upload(*, upload: Upload, by: User, now: datetime) -> None:
    """Forget one's own upload, finished or not, with its bytes.

    Raises: UploadUnknown; UploadBusy while it is being written to."""
    with parts.held(upload.pk, must_exist=False):
        gone = Upload.objects.visible_to(by).filter(pk=upload.pk).select_for_update(of=("self",)).first()
        if gone is None:
            raise UploadUnknown(_("This upload is not there any more. Choose the file again."))
        forget(gone)


def forget(upload: Upload) -> None:
    """Its row, its file that nobody took, and, when that is certain, the bytes."""
    number, stored = upload.pk, upload.stored
    upload.delete()
    if stored is not None:
        name, storage = str(stored.content.name), stored.content.storage
        stored.delete()
        transaction.on_commit(lambda: storage.delete(name))
    transaction.on_commit(lambda: parts.remove(number))


def drop_uploads_of(*, membership: Membership, now: datetime, **_rest: object) -> None:
    """Follow-up of MEMBERSHIP_ENDED: what somebody was still sending expires now."""
    begun = Upload.objects.filter(owner=membership, created_at__lt=now, expires_at__gt=now)
    begun.update(expires_at=now)
