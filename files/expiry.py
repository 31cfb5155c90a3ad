"""What nobody came back for goes: unfinished uploads after a day, finished ones that no form took after a week."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from files import parts
from files.actions import forget
from files.errors import UploadBusy
from files.models import Upload
from files.storage import incoming

AT_ONCE: Final = 500


def expire_uploads(now: datetime) -> dict[str, int]:
    """The job: remove expired uploads with their bytes, and part files that no row knows.

    A file that a form took has no upload row any more, so nothing in use can be reached from here."""
    expired = Upload.objects.filter(expires_at__lte=now).order_by("expires_at", "pk")
    gone = [_expire(upload.pk, now) for upload in expired[:AT_ONCE]]
    return {"expired uploads": sum(gone), "stray part files": _sweep(now)}


def _expire(pk: UUID, now: datetime) -> bool:
    try:
        with parts.held(pk, must_exist=False), transaction.atomic():
            still = Upload.objects.filter(pk=pk, expires_at__lte=now).select_for_update(of=("self",)).first()
            if still is not None:
                forget(still)
            return still is not None
    except UploadBusy:
        return False  # being written to; the next round sees


def _sweep(now: datetime) -> int:
    """Part files that are older than any upload may become, and have no row: left by a crash or an emptied table."""
    oldest = (now - timedelta(hours=settings.UPLOAD_HOURS + 1)).timestamp()
    old = {path.name: path for path in incoming().iterdir() if path.stat().st_mtime < oldest}
    named = [UUID(name) for name in old if len(name) == 32 and set(name) <= set("0123456789abcdef")]
    known = {pk.hex for pk in Upload.objects.filter(pk__in=named).values_list("pk", flat=True)}
    strays = [upload for upload in named if upload.hex not in known]
    for upload in strays:
        parts.remove(upload)
    return len(strays)
