"""`/files/uploads/`: the tus 1.0 protocol, core with creation, expiration and termination."""

import base64
import binascii
from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.middleware import current_user
from accounts.roles import Permission
from files.actions import drop_upload, start_upload
from files.errors import FileRefused, UploadExpired, UploadUnknown
from files.models import Upload
from files.receiving import receive

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,expiration,termination"
BODY: Final = "application/offset+octet-stream"
# A sender that is silent for so long is gone: its thread and its lock are needed for its next attempt.
SILENCE_SECONDS: Final = 30.0
RETRY_SECONDS: Final = "2"
MAX_DIGITS: Final = 18

View = Callable[..., HttpResponse]


def _speaks_tus(view: View) -> View:
    """Who may upload at all, the version of both sides, and every refusal with the status that tus has for it."""

    @wraps(view)
    def wrapper(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if not current_user(request).can(Permission.FILE_UPLOAD):
            raise PermissionDenied(_("Your role does not allow this."))
        try:
            response = view(request, **kwargs)
        except FileRefused as error:
            response = HttpResponse(str(error), status=error.status, content_type="text/plain; charset=utf-8")
            if error.status in (423, 429):
                response["Retry-After"] = RETRY_SECONDS
        response["Tus-Resumable"] = VERSION
        response["Cache-Control"] = "no-store"
        return response

    return wrapper


class _Malformed(FileRefused):
    """The request is not tus."""


class _WrongVersion(FileRefused):
    status = 412


class _WrongType(FileRefused):
    status = 415


class _NoLength(FileRefused):
    status = 411


@require_http_methods(["OPTIONS", "POST"])
@_speaks_tus
def uploads(request: HttpRequest) -> HttpResponse:
    """What we can do; and the beginning of an upload."""
    if request.method == "OPTIONS":
        said = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": settings.FILE_MAX_BYTES}
        return HttpResponse(status=204, headers={name: str(value) for name, value in said.items()})
    _check_version(request)
    about = _metadata(request.headers.get("Upload-Metadata", ""))
    upload = start_upload(
        name=about.get("filename", ""),
        declared_type=about.get("filetype", ""),
        length=_number(request, "Upload-Length"),
        by=current_user(request),
        now=timezone.now(),
    )
    response = HttpResponse(status=201, headers={"Location": reverse("upload", args=[upload.pk])})
    return _told(response, upload)


@require_http_methods(["HEAD", "PATCH", "DELETE"])
@_speaks_tus
def upload(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far it is; more of it; or an end to it."""
    user, now = current_user(request), timezone.now()
    found = Upload.objects.visible_to(user).filter(pk=pk).first()
    if found is None:
        raise UploadUnknown(_("This upload is not there any more. Choose the file again."))
    _check_version(request)
    if request.method == "DELETE":
        drop_upload(upload=found, by=user, now=now)
        return HttpResponse(status=204)
    if found.expires_at <= now:
        raise UploadExpired(_("This upload took too long. Choose the file again."))
    if request.method == "HEAD":
        return _told(HttpResponse(headers={"Upload-Length": str(found.length)}), found)
    return _told(_patch(request, found), found)


def _patch(request: HttpRequest, found: Upload) -> HttpResponse:
    if request.content_type != BODY:
        raise _WrongType(_("Send the bytes as %(type)s.") % {"type": BODY})
    if not request.headers.get("Content-Length", "").isdecimal():
        raise _NoLength(_("Say how many bytes you send (Content-Length)."))
    _listen_patiently(request)
    try:
        after = receive(
            upload=found,
            offset=_number(request, "Upload-Offset"),
            size=_number(request, "Content-Length"),
            read=request.read,
            by=current_user(request),
            now=timezone.now(),
        )
    except OSError:
        return HttpResponse(status=408)  # cut off or silent: nobody reads this, and what arrived is kept
    found.offset, found.stored_id, found.expires_at = after.offset, after.stored_id, after.expires_at
    return HttpResponse(status=204)


def _listen_patiently(request: HttpRequest) -> None:
    """Not forever. The socket is gunicorn's; another server sets its own limit."""
    connection: Any = request.META.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(SILENCE_SECONDS)


def _told(response: HttpResponse, upload: Upload) -> HttpResponse:
    """How far it is, until when it is kept, and, when complete, the number that a form sends for it."""
    response["Upload-Offset"] = str(upload.offset)
    response["Upload-Expires"] = http_date(upload.expires_at.timestamp())
    if upload.stored_id:
        response["Upload-File"] = str(upload.stored_id)
    return response


def _check_version(request: HttpRequest) -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise _WrongVersion(_("This server speaks tus %(version)s.") % {"version": VERSION})


def _number(request: HttpRequest, header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS):
        raise _Malformed(_("The header %(header)s must be a number.") % {"header": header})
    return int(text)


def _metadata(text: str) -> dict[str, str]:
    """Pairs of a word and a base64 value, with commas between them."""
    pairs = [pair.split(" ") for pair in text.split(",") if pair.strip()]
    try:
        return {
            pair[0]: base64.b64decode(pair[1], validate=True).decode() if pair[1:] else ""
            for pair in (list(filter(None, words)) for words in pairs)
        }
    except (binascii.Error, ValueError) as error:
        raise _Malformed(_("The header Upload-Metadata cannot be read.")) from error
