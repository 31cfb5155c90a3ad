"""New files are looked at by the scanner, off the request, and given out only when it has found nothing.

It runs in a thread of its own beside the engine's loop: a scan may take minutes, and no alert waits for it."""

import logging
import threading
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connections
from django.db.models import Q
from django.utils import timezone

from files.models import StoredFile
from files.scanner import ScannerUnavailable, Verdict, scan

log = logging.getLogger(__name__)

# A runner that began so long ago has died: clamd itself is given ten minutes for an answer.
GIVEN_UP: Final = timedelta(minutes=30)
AT_ONCE: Final = 50

_running = threading.Lock()


def start_scanning(now: datetime) -> dict[str, int]:
    """The job: begin a round of scans unless one is under way here. Without a scanner there is nothing to do,
    but what waited for one that is not there any more is said to be not scanned."""
    if not settings.CLAMD_URL:
        freed = StoredFile.objects.filter(scan=StoredFile.Scan.PENDING)
        return {"not scanned": freed.update(scan=StoredFile.Scan.NOT_SCANNED, scan_began_at=None)}
    waiting = StoredFile.objects.waiting_for_scan(untouched_since=now - GIVEN_UP)
    if not waiting.exists() or not _running.acquire(blocking=False):
        return {}
    threading.Thread(target=_round, name="scanner", daemon=True).start()
    return {"rounds begun": 1}


def _round() -> None:
    try:
        scan_waiting(timezone.now())
    except Exception:
        log.exception("A round of scans failed")
    finally:
        connections.close_all()
        _running.release()


def scan_waiting(now: datetime) -> dict[str, int]:
    """Scan what waits, oldest first; stops at the first sign that the scanner is not there. What was found, counted."""
    done = {"clean": 0, "quarantined": 0}
    waiting = StoredFile.objects.waiting_for_scan(untouched_since=now - GIVEN_UP)
    for stored in waiting.order_by("created_at", "pk")[:AT_ONCE]:
        if not _claim(stored, now):
            continue
        try:
            verdict = scan(stored.pieces(), url=settings.CLAMD_URL)
        except ScannerUnavailable as error:
            log.warning("The scanner gives no verdict, files wait for it: %s", error)
            StoredFile.objects.filter(pk=stored.pk).update(scan_began_at=None)
            break
        settle_scan(stored, verdict, now=now)
        done["clean" if verdict.is_clean else "quarantined"] += 1
    return done


def _claim(stored: StoredFile, now: datetime) -> bool:
    """Whether this runner is the one that scans it."""
    is_free = Q(scan_began_at=None) | Q(scan_began_at__lt=now - GIVEN_UP)
    mine = StoredFile.objects.filter(is_free, pk=stored.pk, scan=StoredFile.Scan.PENDING)
    return mine.update(scan_began_at=now) == 1


def settle_scan(stored: StoredFile, verdict: Verdict, *, now: datetime) -> None:
    """Write the verdict; a quarantined file keeps its bytes, and nobody gets them."""
    stored.scan = StoredFile.Scan.CLEAN if verdict.is_clean else StoredFile.Scan.QUARANTINED
    stored.scan_finding, stored.scanned_at = verdict.finding, now
    stored.save(update_fields=["scan", "scan_finding", "scanned_at"])
    if not verdict.is_clean:
        log.warning("The file %s was quarantined: %s", stored.pk, verdict.finding)
