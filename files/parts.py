"""The part file of an upload: one per upload in the folder of what comes in, held by a lock of the kernel.

The lock ends with the process that holds it, however that ends, so no lease has to run out after a crash."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.utils.translation import gettext as _

from files.errors import UploadBusy, UploadUnknown
from files.storage import incoming


def path_of(upload: UUID) -> Path:
    return incoming() / upload.hex


def make(upload: UUID) -> None:
    """An empty part file. One whose row was rolled back is swept up by the expiry job."""
    os.close(os.open(path_of(upload), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def remove(upload: UUID) -> None:
    path_of(upload).unlink(missing_ok=True)


@contextmanager
def held(upload: UUID, *, must_exist: bool = True) -> Iterator[int | None]:
    """The part file, open, and nobody else's until the block ends.

    Raises: UploadBusy; UploadUnknown if there is no part file, unless it need not exist (then it gives None)."""
    try:
        part = os.open(path_of(upload), os.O_RDWR)
    except FileNotFoundError:
        if must_exist:
            raise UploadUnknown(_("This upload is not there any more. Choose the file again.")) from None
        yield None
        return
    try:
        try:
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UploadBusy(_("This file is being sent already.")) from None
        yield part
    finally:
        os.close(part)
