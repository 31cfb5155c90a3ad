"""Giving bytes out: always as a download, never as something that a browser would run."""

import base64
import re
from typing import Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header, http_date
from django.utils.translation import gettext as _

from files.models import StoredFile

ONE_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def serve(stored: StoredFile, request: HttpRequest | None = None) -> HttpResponseBase:
    """The file as an attachment, whole or the one range that was asked for. The caller has checked that the person
    may have it.

    Raises: PermissionDenied while the scanner has not cleared it."""
    _check_scan(stored)
    wanted = _range(stored, request)
    if wanted is None:
        return _headed(HttpResponse(status=416), stored, content_range=f"bytes */{stored.size}")
    start, stop = wanted
    is_part = stop - start < stored.size
    status = 206 if is_part else 200
    if request is not None and request.method == "HEAD":
        response: HttpResponseBase = HttpResponse(status=status)
    else:
        pieces = stored.pieces(start, stop)
        response = StreamingHttpResponse(pieces, status=status)
    response["Content-Length"] = str(stop - start)
    return _headed(response, stored, f"bytes {start}-{stop - 1}/{stored.size}" if is_part else "")


def _check_scan(stored: StoredFile) -> None:
    if stored.scan == StoredFile.Scan.PENDING:
        raise PermissionDenied(_("This file is still being checked. Try again in a minute."))
    if not stored.is_served:
        raise PermissionDenied(_("This file is quarantined: the check of its content found something."))


def etag(stored: StoredFile) -> str:
    """Strong: the same value means the same bytes."""
    return f'"{stored.sha256}"'


def _range(stored: StoredFile, request: HttpRequest | None) -> tuple[int, int] | None:
    """From where up to, not including, where; None if what was asked for is not in the file.

    Several ranges, or one of another version (If-Range), get the whole, as RFC 9110 allows."""
    whole = (0, stored.size)
    asked = request.headers.get("Range", "") if request is not None else ""
    found = ONE_RANGE.fullmatch(asked.strip())
    if found is None or found.groups() == ("", ""):
        return whole
    if request is not None and request.headers.get("If-Range", etag(stored)) != etag(stored):
        return whole
    first, last = found.groups()
    if not first:
        return (max(stored.size - int(last), 0), stored.size) if int(last) else None
    if last and int(last) < int(first):
        return whole
    stop = min(int(last) + 1, stored.size) if last else stored.size
    return (int(first), stop) if int(first) < stored.size else None


def _headed(response: HttpResponseBase, stored: StoredFile, content_range: str) -> HttpResponseBase:
    digest = base64.b64encode(bytes.fromhex(stored.sha256)).decode()
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": content_disposition_header(True, stored.name) or "attachment",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "Accept-Ranges": "bytes",
        "ETag": etag(stored),
        "Last-Modified": http_date(stored.created_at.timestamp()),
        "Repr-Digest": f"sha-256=:{digest}:",
    }
    if content_range:
        headers["Content-Range"] = content_range
    for name, value in headers.items():
        response[name] = value
    return response
