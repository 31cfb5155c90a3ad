"""A small client of clamd: its INSTREAM command, over TCP or a unix socket.

Ours, because the packages that speak to clamd have not been looked after for years, and the protocol is six lines."""

import socket
import struct
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

ANSWER_SECONDS: Final = 600.0  # a large archive takes clamd minutes after the last byte
CONNECT_SECONDS: Final = 5.0
LONGEST_ANSWER: Final = 4096
OVER_LIMIT: Final = "size limit exceeded"


class ScannerUnavailable(Exception):
    """No verdict: the scanner cannot be reached, or has failed. The file waits."""


@dataclass(frozen=True)
class Verdict:
    """What the scanner said of a whole file; `finding` names what it found, or why it cannot judge."""

    is_clean: bool
    finding: str = ""


def scan(pieces: Iterable[bytes], *, url: str) -> Verdict:
    """Have clamd read these bytes. A file that is larger than it takes is not clean: nobody has looked at it.

    Raises: ScannerUnavailable."""
    try:
        with closing(_connect(url)) as line:
            answer = _ask(line, pieces)
    except OSError as error:
        raise ScannerUnavailable(str(error)) from error
    return _verdict(answer)


def _connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(CONNECT_SECONDS)
        try:
            line.connect(parts.path)
        except OSError:
            line.close()
            raise
    elif parts.scheme == "tcp" and parts.hostname:
        line = socket.create_connection((parts.hostname, parts.port or 3310), timeout=CONNECT_SECONDS)
    else:
        raise ImproperlyConfigured("CLAMD_URL must look like tcp://host:3310 or unix:///path/to/socket.")
    line.settimeout(ANSWER_SECONDS)
    return line


def _ask(line: socket.socket, pieces: Iterable[bytes]) -> str:
    try:
        line.sendall(b"zINSTREAM\0")
        for piece in pieces:
            line.sendall(struct.pack("!L", len(piece)) + piece)
        line.sendall(struct.pack("!L", 0))
    except (BrokenPipeError, ConnectionResetError):
        # clamd hangs up on a stream that is too long, but says so first
        return _answer(line)
    return _answer(line)


def _answer(line: socket.socket) -> str:
    said = b""
    try:
        while len(said) < LONGEST_ANSWER and not said.endswith(b"\0") and (more := line.recv(1024)):
            said += more
    except ConnectionResetError:
        if not said:
            raise
    return said.rstrip(b"\0").decode(errors="replace").strip()


def _verdict(answer: str) -> Verdict:
    if answer.endswith(" FOUND"):
        return Verdict(is_clean=False, finding=answer.removesuffix(" FOUND").removeprefix("stream: ")[:200])
    if answer == "stream: OK":
        return Verdict(is_clean=True)
    if OVER_LIMIT in answer:
        return Verdict(is_clean=False, finding="larger than the scanner takes (StreamMaxLength)")
    raise ScannerUnavailable(answer or "no answer")
