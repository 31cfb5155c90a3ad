"""Giving bytes out: always as a download, never as something that a browser would run."""

from django.http import FileResponse

from files.models import StoredFile


def serve(stored: StoredFile) -> FileResponse:
    """The file as an attachment. The caller has checked that the person may have it."""
    response = FileResponse(stored.content.open("rb"), as_attachment=True, filename=stored.name)
    response["Content-Type"] = "application/octet-stream"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response
