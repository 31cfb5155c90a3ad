"""What a file is, by its first bytes: for people to read. It decides nothing about how the file is served."""

from typing import Final

import puremagic

HEAD: Final = 8192
UNKNOWN: Final = "application/octet-stream"
TEXT: Final = "text/plain"
LONGEST: Final = 100


def content_type(head: bytes) -> str:
    """The media type of a file that begins so; a container is called a container, whatever it carries."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "application/zip"
    try:
        found = str(puremagic.from_string(head[:HEAD], mime=True))
    except (puremagic.PureError, ValueError):
        found = ""
    if found:
        return found[:LONGEST]
    return TEXT if _is_text(head[:HEAD]) else UNKNOWN


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4  # a character that goes on after the head
    return True


def claimed_type(text: str) -> str:
    """What a browser said it is, as far as that is a media type at all."""
    is_plain = text.isascii() and text.isprintable() and "/" in text
    return text[:LONGEST] if is_plain else ""
