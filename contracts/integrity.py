"""Manifests and what a customer compares with them: reading `sha256sum` output, paths, verdicts (C42, C43, C72).

Pure: no database, no clock. Sums are 64 lower-case hex digits, sizes are bytes.
"""

import codecs
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from contracts.kinds import FileVerdict

MOST_LINES: Final = 50_000
MOST_BYTES: Final = 5 * 1024 * 1024
LONGEST_PATH: Final = 300

# `sha256sum`: the sum, a space, then a space (text) or an asterisk (binary), then the name to the end of the line
_GNU: Final = re.compile(r"(?P<sha>[0-9a-fA-F]{64})(?: [ *]|\t| (?=\S))(?P<path>.+)")
# `sha256sum --tag`, BSD, `openssl dgst -sha256`
_TAGGED: Final = re.compile(r"SHA(?:2-)?256 ?\((?P<path>.+)\) ?= ?(?P<sha>[0-9a-fA-F]{64})")
_ESCAPES: Final = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}


class Unreadable(ValueError):
    """The text cannot be taken at all; its message is fit for the page."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A file as the manifest names it. `is_fixed`: off for one that is edited at the site."""

    path: str
    sha256: str
    is_fixed: bool = True


@dataclass(frozen=True, kw_only=True)
class Sum:
    """A file as the customer's computer names it."""

    path: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A line that cannot be read: its number from 1, its text shortened, and why."""

    number: int
    text: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    sums: tuple[Sum, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is to be said of one file. `sha256` is what was given, empty for a missing one."""

    path: str
    verdict: FileVerdict
    is_fixed: bool
    sha256: str = ""

    @property
    def is_broken(self) -> bool:
        """Drift: only a fixed file that is changed or missing (C43)."""
        return self.is_fixed and self.verdict in (FileVerdict.CHANGED, FileVerdict.MISSING)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    findings: tuple[Finding, ...]

    def count(self, verdict: FileVerdict) -> int:
        return sum(finding.verdict == verdict for finding in self.findings)

    @property
    def broken(self) -> int:
        return sum(finding.is_broken for finding in self.findings)


def path_problem(path: str) -> str:
    """Why a path cannot stand in a manifest, or nothing: relative, forward slashes, no way out of its folder."""
    if not path.strip() or path != path.strip() or len(path) > LONGEST_PATH:
        text = _("A path has 1 to %(most)d characters, and no space at its ends.")
        return text % {"most": LONGEST_PATH}
    if any(unicodedata.category(character)[0] == "C" or character in "\u2028\u2029" for character in path):
        return _("A path cannot hold control or invisible characters.")
    if "\\" in path:
        return _("A path is written with forward slashes.")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return _("A path is relative: it does not begin with a slash or a drive.")
    if {"", ".", ".."} & set(path.split("/")):
        return _("A path cannot hold “..”, “.” or two slashes in a row.")
    return ""


def path_key(path: str) -> str:
    """Two paths with the same key would be one file on some computer: case and Unicode form do not tell them apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", path).casefold())


def manifest_text(files: Iterable[tuple[str, str]]) -> str:
    """Pairs of path and sum as `sha256sum` writes them, by the bytes of the paths: what an acceptance freezes."""
    ordered = sorted(files, key=lambda pair: pair[0].encode())
    return "".join(f"{sha256}  {path}\n" for path, sha256 in ordered)


def manifest_digest(files: Iterable[tuple[str, str]]) -> str:
    """The SHA-256 over `manifest_text`, or nothing where there is no file."""
    text = manifest_text(files)
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def decoded(content: bytes) -> str:
    """The text of an uploaded list: UTF-8, or UTF-16 as some shells write it, with or without its mark.

    Raises: Unreadable when it is larger than MOST_BYTES or no text."""
    if len(content) > MOST_BYTES:
        raise Unreadable(_("The list is larger than %(most)d MB.") % {"most": MOST_BYTES // 1024**2})
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if wide else "utf-8-sig"
    if not wide and content[1:2] == b"\0":
        encoding = "utf-16-le"
    elif not wide and content[:1] == b"\0":
        encoding = "utf-16-be"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(_("This is not a text file. Upload the output of sha256sum.")) from error


def read_sums(text: str) -> Reading:
    """What `sha256sum` printed, in either of its forms, with any line ends; blank lines do not count.

    Raises: Unreadable when there are more than MOST_LINES lines."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > MOST_LINES + 1:
        raise Unreadable(_("The list has more than %(most)d lines.") % {"most": MOST_LINES})
    sums: dict[str, str] = {}
    refused: list[Refused] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found, why = _read(line)
        if found is not None and sums.setdefault(found.path, found.sha256) != found.sha256:
            why = _("This file was named before, with another sum.")
        if why:
            refused.append(Refused(number=number, text=_shown(line), why=why))
    return Reading(
        sums=tuple(Sum(path=path, sha256=sha256) for path, sha256 in sums.items()), refused=tuple(refused)
    )


def _shown(line: str) -> str:
    kept = "".join(c for c in line if unicodedata.category(c) not in ("Cc", "Cs"))
    return kept if len(kept) <= 120 else f"{kept[:119]}…"


def _read(line: str) -> tuple[Sum | None, str]:
    is_escaped = line.startswith("\\")
    match = _GNU.fullmatch(line.removeprefix("\\")) or _TAGGED.fullmatch(line.removeprefix("\\").strip())
    if match is None:
        return None, _("This is no line of sha256sum: 64 hex digits, two spaces, the path.")
    path = match["path"]
    if is_escaped:
        path = re.sub(r"\\[\\nr]", lambda escape: _ESCAPES[escape[0]], path)
    path = unicodedata.normalize("NFC", path)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in path):
        return None, _("The path holds control characters.")
    if ".." in re.split(r"[/\\]", path):
        return None, _("The path leads out of its folder (“..”).")
    return Sum(path=_plain(path), sha256=match["sha"].lower()), ""


def _plain(path: str) -> str:
    """Without the `./` that `find` writes; a leading slash stays, since a folder may be cut off later."""
    start = "/" if path.startswith("/") else ""
    return start + "/".join(part for part in path.split("/") if part not in ("", "."))


def prefix_of(manifest: Iterable[Expected], sums: Sequence[Sum]) -> str:
    """The folder that stands before the manifest's paths in the list, such as `/opt/pathkeeper/`; often none.

    The one that most files fit under; of equals the shorter."""
    known = {file.path for file in manifest}
    fits: Counter[str] = Counter()
    for given in sums:
        parts = given.path.split("/")
        for start in range(len(parts)):
            if "/".join(parts[start:]) in known:
                fits["/".join([*parts[:start], ""])] += 1
    best = max(fits.items(), key=lambda item: (item[1], -len(item[0])), default=("", 0))
    return best[0]


def without_prefix(sums: Sequence[Sum], prefix: str) -> tuple[Sum, ...]:
    """The list with the folder cut off where it stands; what lies elsewhere keeps its path."""
    folder = _plain(prefix.strip())
    folder = f"{folder.rstrip('/')}/" if folder else ""
    return tuple(Sum(path=one.path.removeprefix(folder), sha256=one.sha256) for one in sums)


def compare(manifest: Iterable[Expected], sums: Iterable[Sum]) -> Comparison:
    """Each file of the manifest, then each that it does not name. Extra files are no drift: logs and data lie there."""
    given = {one.path: one.sha256 for one in sums}
    findings = []
    for file in sorted(manifest, key=lambda file: file.path.encode()):
        found = given.pop(unicodedata.normalize("NFC", file.path), "")
        findings.append(
            Finding(path=file.path, verdict=_verdict(file, found), is_fixed=file.is_fixed, sha256=found)
        )
    findings += [
        Finding(path=path, verdict=FileVerdict.EXTRA, is_fixed=False, sha256=sha256)
        for path, sha256 in sorted(given.items(), key=lambda item: item[0].encode())
    ]
    return Comparison(findings=tuple(findings))


def _verdict(file: Expected, found: str) -> FileVerdict:
    if not found:
        return FileVerdict.MISSING
    return FileVerdict.INTACT if found == file.sha256 else FileVerdict.CHANGED
