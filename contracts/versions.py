"""Order of free-text versions (`21.4R3-S5.4`, `2.6.1-p3`, `2026.03`), as a text that PostgreSQL can sort."""

import re
import unicodedata
from typing import Final

from django.utils.translation import gettext_lazy as _

VERSION_LENGTH: Final = 64
SORT_KEY_LENGTH: Final = 200  # at worst 3 for a character, and the end mark: 193

# Each piece of a key begins with one of these marks; their order is the order of versions that agree so far.
# A number's length stands before it, so that 10 sorts after 9. Letters all sort after the marks, so that a
# word needs no end mark of its own.
_PRERELEASE, _END, _WORD, _NUMBER = "1234"

# "a" and "b" are left out on purpose: 1.0.2a is a patch of 1.0.2 as often as an alpha of it.
_STAGES: Final = {
    "dev": "1",
    "nightly": "1",
    "snapshot": "1",
    "alpha": "2",
    "beta": "3",
    "milestone": "4",
    "pre": "5",
    "preview": "5",
    "prerelease": "5",
    "rc": "6",
    "candidate": "6",
}
_PIECE: Final = re.compile(r"[0-9]+|[^\W0-9_]+")
_LEADING_V: Final = re.compile(r"[vV](?=[0-9])")


class InvalidVersion(ValueError):
    """The text cannot be a version; its message is translatable and fit to be shown beside the field."""


def sort_key(version: str) -> str:
    """The text whose order under collation "C" is the order of the versions (C34, C42).

    Numbers compare as numbers, words without case, and separators do not matter. A stage before release
    (`dev`, `alpha`, `beta`, `rc` ...) sorts before the bare version, every other addition after it, words
    before numbers. At most SORT_KEY_LENGTH characters. Two spellings of one version (`2026.03`, `v2026.3`)
    have one key: it orders releases and does not identify them.

    Raises: InvalidVersion if `version` is empty, longer than VERSION_LENGTH, holds control or invisible
    characters, or neither a letter nor a digit."""
    text = _checked(version)
    pieces = _PIECE.findall(_LEADING_V.sub("", text, count=1) if _LEADING_V.match(text) else text)
    if not pieces:
        raise InvalidVersion(_("A version needs at least one letter or digit."))
    return "".join(_encoded(piece) for piece in pieces) + _END


def _checked(version: str) -> str:
    text = unicodedata.normalize("NFC", version)
    if not text.strip():
        raise InvalidVersion(_("A version cannot be empty."))
    if len(text) > VERSION_LENGTH:
        raise InvalidVersion(_("A version has at most 64 characters."))
    if any(unicodedata.category(character)[0] == "C" or character in "\u2028\u2029" for character in text):
        raise InvalidVersion(_("A version cannot hold control or invisible characters."))
    return text


def _encoded(piece: str) -> str:
    if piece[0] in "0123456789":
        digits = piece.lstrip("0") or "0"
        return f"{_NUMBER}{chr(ord('0') + len(digits))}{digits}"
    word = piece.lower()
    if word in _STAGES:
        return _PRERELEASE + _STAGES[word]
    return _WORD + word
