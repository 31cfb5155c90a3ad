"""The middle of a resumable upload: bytes are appended as they come, and a complete file is handed to the storage."""

import errno
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from files import digests, parts
from files.actions import first_scan
from files.detection import HEAD, content_type
from files.errors import FileTooLarge, NoRoom, OffsetConflict, UploadBusy, UploadExpired, UploadUnknown
from files.models import StoredFile, Upload, storage_name

CHUNK: Final = 256 * 1024
# The row says how much is safely on the disk at least so often; a crash loses no more than this.
NOTED_BYTES: Final = 64 * 1024**2
NOTED_SECONDS: Final = 10.0

Read = Callable[[int], bytes]

_places = threading.BoundedSemaphore(settings.UPLOADS_AT_ONCE)


def receive(*, upload: Upload, offset: int, size: int, read: Read, by: User, now: datetime) -> Upload:
    """Append up to `size` bytes from `read` at `offset`; what arrived counts, also when the sender is cut off.

    The last byte makes it a StoredFile; asked again with nothing more to send, it only does what is left to do.
    Raises: OffsetConflict; FileTooLarge if it would become longer than was said; UploadExpired; UploadUnknown;
    UploadBusy while another request writes, or while this process has taken as many uploads as it may; NoRoom;
    OSError of the connection."""
    if not _places.acquire(blocking=False):
        raise UploadBusy(_("Many files are being sent just now; yours goes on in a moment."))
    try:
        with parts.held(upload.pk, must_exist=upload.stored_id is None) as part:
            fresh = _as_it_is_now(upload, offset, size, by=by, now=now)
            if fresh.stored_id is None and part is not None:
                _append(fresh, part, size, read)
                if fresh.is_complete:
                    _hand_over(fresh, part, now=now)
            return fresh
    finally:
        _places.release()


def _as_it_is_now(upload: Upload, offset: int, size: int, *, by: User, now: datetime) -> Upload:
    fresh = Upload.objects.visible_to(by).filter(pk=upload.pk).first()
    if fresh is None:
        raise UploadUnknown(_("This upload is not there any more. Choose the file again."))
    if fresh.expires_at <= now:
        raise UploadExpired(_("This upload took too long. Choose the file again."))
    if offset != fresh.offset:
        raise OffsetConflict(_("%(count)d bytes have arrived; go on from there.") % {"count": fresh.offset})
    if offset + size > fresh.length:
        raise FileTooLarge(_("This is more than the file was said to have."))
    return fresh


def _append(upload: Upload, part: int, size: int, read: Read) -> None:
    """Write what comes behind what is there; notes now and then, and at the end, how far it is."""
    if os.fstat(part).st_size < upload.offset:
        # the folder was lost, or is another machine's: begin again rather than keep a hole
        upload.offset = 0
        _note(upload, part)
        raise OffsetConflict(_("%(count)d bytes have arrived; go on from there.") % {"count": 0})
    os.ftruncate(part, upload.offset)
    running = digests.take_state(upload.pk, upload.offset)
    noted, noted_at, stop = upload.offset, time.monotonic(), upload.offset + size
    try:
        while upload.offset < stop and (piece := read(min(CHUNK, stop - upload.offset))):
            _write(part, piece, upload.offset)
            if running is not None:
                running.update(piece)
            upload.offset += len(piece)
            if upload.offset - noted >= NOTED_BYTES or time.monotonic() - noted_at >= NOTED_SECONDS:
                _note(upload, part)
                noted, noted_at = upload.offset, time.monotonic()
    finally:
        if upload.offset != noted:
            _note(upload, part)
        digests.keep_state(upload.pk, upload.offset, running)


def _write(part: int, piece: bytes, at: int) -> None:
    """Raises: NoRoom."""
    view = memoryview(piece)
    try:
        while view:
            written = os.pwrite(part, view, at)
            view, at = view[written:], at + written
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise NoRoom(_("The portal has no room for this file now. Please tell us by telephone.")) from error


def _note(upload: Upload, part: int) -> None:
    """The bytes to the disk first, then the number to the row.

    Raises: UploadUnknown if the upload was taken away meanwhile, or its sender's membership has ended."""
    os.fdatasync(part)
    lasting = Upload.objects.filter(pk=upload.pk, stored=None, owner__ended_at=None)
    if not lasting.update(offset=upload.offset):
        raise UploadUnknown(_("This upload is not there any more. Choose the file again."))


class _Part(File[bytes]):
    """The part file as storages take it: a folder on the same file system moves it, a bucket reads it."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def _hand_over(upload: Upload, part: int, *, now: datetime) -> None:
    """The complete part file becomes a stored file with its SHA-256 and type."""
    path = parts.path_of(upload.pk)
    running: Any = digests.take_state(upload.pk, upload.length)
    stored = StoredFile(
        id=upload.pk,
        name=upload.name,
        size=upload.length,
        sha256=running.hexdigest() if running is not None else digests.digest_of(path),
        content_type=content_type(os.pread(part, HEAD, 0)),
        declared_type=upload.declared_type,
        scan=first_scan(),
        uploaded_by_id=upload.owner_id,
        created_at=now,
    )
    with path.open("rb") as content:
        name = default_storage.save(storage_name(stored, upload.name), _Part(content, str(path)))
    stored.content.name = name
    try:
        _settle(upload, stored, now=now)
    except BaseException:
        _take_back(name, path)
        raise
    parts.remove(upload.pk)


def _take_back(name: str, path: Path) -> None:
    """After a failure of the database: the bytes are where they were, so that nothing has to be sent again."""
    if path.exists():
        default_storage.delete(name)
    else:
        Path(default_storage.path(name)).rename(path)


@transaction.atomic
def _settle(upload: Upload, stored: StoredFile, *, now: datetime) -> None:
    """Both rows in one transaction. Raises: UploadUnknown if the upload was taken away meanwhile."""
    stored.save(force_insert=True)
    upload.stored, upload.expires_at = stored, now + timedelta(days=settings.UPLOAD_UNUSED_DAYS)
    won = Upload.objects.filter(pk=upload.pk, stored=None)
    if not won.update(stored=stored, expires_at=upload.expires_at):
        raise UploadUnknown(_("This upload is not there any more. Choose the file again."))
