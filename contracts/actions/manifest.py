"""The files of a draft: lines of its manifest, and the bytes that belong to them (C42)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from accounts.models import User
from contracts import errors
from contracts.integrity import path_key, path_problem
from contracts.models import Release, ReleaseFile
from files.actions import Sent, take_in
from files.models import StoredFile

SHA256 = re.compile(r"[0-9a-f]{64}")
MOST_FILES = 20_000


@dataclass(frozen=True, kw_only=True)
class ManifestLine:
    """One file of a release: how a customer shows that the accepted version is unmodified (C42).

    `size` in bytes; `is_fixed` off for a file that is edited at the site."""

    path: str
    size: int
    sha256: str
    is_fixed: bool = True
    stored: StoredFile | None = None


def check_manifest(lines: Sequence[ManifestLine]) -> None:
    """Raises: ManifestWrong naming the line, FileDiffers where bytes do not have the sum of their line."""
    if len(lines) > MOST_FILES:
        raise errors.ManifestWrong(_("A release has at most %(most)d files.") % {"most": MOST_FILES})
    seen: set[str] = set()
    for line in lines:
        problem = _problem(line, seen)
        if problem:
            raise errors.ManifestWrong(_("%(path)s: %(problem)s") % {"path": line.path, "problem": problem})
        if line.stored is not None:
            _check_bytes(line, line.stored)
        seen.add(path_key(line.path))


def _problem(line: ManifestLine, seen: set[str]) -> str:
    if found := path_problem(line.path):
        return found
    if path_key(line.path) in seen:
        return _("The manifest names it twice, or in two spellings of one name.")
    if not SHA256.fullmatch(line.sha256):
        return _("The SHA-256 has 64 hex digits.")
    if not 0 <= line.size < 2**63:
        return _("Give its size in bytes, or upload the file.")
    return ""


def _check_bytes(line: ManifestLine, stored: StoredFile) -> None:
    if stored.sha256 != line.sha256:
        text = _("%(path)s: the file that was uploaded has SHA-256 %(found)s, the manifest says %(said)s.")
        raise errors.FileDiffers(
            text % {"path": line.path, "found": stored.sha256, "said": line.sha256}, line.path
        )
    if stored.size != line.size:
        text = _("%(path)s: the file that was uploaded has %(found)d bytes, the manifest says %(said)d.")
        raise errors.FileDiffers(
            text % {"path": line.path, "found": stored.size, "said": line.size}, line.path
        )


def with_files(
    lines: Sequence[ManifestLine], sent: Sent, *, by: User, now: datetime
) -> tuple[ManifestLine, ...]:
    """The manifest with what was uploaded for it; a file that it does not name becomes a line of its own, fixed.

    A file belongs to the line of its name (the last part of the path; where several have it, of its sum).
    Part of the transaction that writes the release. Raises: FileRefused, FileDiffers."""
    merged = list(lines)
    stored = take_in(sent=sent, by=by, now=now)
    try:
        for one in stored:
            _put(merged, one)
    except errors.FileDiffers:
        for one, item in zip(stored, sent, strict=True):
            if isinstance(item, UploadedFile) and one.content.name:
                # its row goes with the transaction, its bytes do not
                one.content.storage.delete(one.content.name)
        raise
    return tuple(merged)


def _put(lines: list[ManifestLine], stored: StoredFile) -> None:
    named = [at for at, line in enumerate(lines) if line.path.rsplit("/", 1)[-1] == stored.name]
    if len(named) > 1:
        named = [at for at in named if lines[at].sha256 == stored.sha256] or named
    if not named:
        lines.append(ManifestLine(path=stored.name, size=stored.size, sha256=stored.sha256, stored=stored))
        return
    line = replace(lines[named[0]], stored=stored)
    if line.size < 0:  # not said in the manifest: the bytes say it
        line = replace(line, size=stored.size)
    _check_bytes(line, stored)
    lines[named[0]] = line


def kept_bytes(release: Release, lines: Sequence[ManifestLine]) -> tuple[ManifestLine, ...]:
    """The lines with the bytes that the draft has for them already: same path, same sum."""
    rows = ReleaseFile.objects.filter(release=release).exclude(stored=None).select_related("stored")
    known = {(row.path, row.sha256): row.stored for row in rows}
    kept = [replace(line, stored=line.stored or known.get((line.path, line.sha256))) for line in lines]
    return tuple(
        replace(line, size=line.stored.size) if line.size < 0 and line.stored else line for line in kept
    )


def write_manifest(release: Release, lines: Sequence[ManifestLine]) -> None:
    """Replace the files of a draft. Raises: ManifestWrong, FileDiffers."""
    check_manifest(lines)
    ReleaseFile.objects.filter(release=release).delete()
    rows = [
        ReleaseFile(
            release=release,
            path=line.path,
            size=line.size,
            sha256=line.sha256,
            is_fixed=line.is_fixed,
            stored=line.stored,
        )
        for line in lines
    ]
    ReleaseFile.objects.bulk_create(rows, batch_size=1000)
