"""What counts as text that a person typed."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# joiners that Persian, Indic scripts and emoji are written with
KEPT_FORMAT = {"\u200c", "\u200d"}


def _first_bad(value: str, allowed: str) -> str | None:
    for character in value:
        if character in allowed or character in KEPT_FORMAT:
            continue
        if unicodedata.category(character) in ("Cc", "Cs"):
            return character
    return None


def clean_line(value: str) -> str:
    """One line without control characters (a newline in a mailed field would be a header of its own).

    Raises: ValidationError naming the character."""
    return _clean(value, allowed="\t")


def clean_text(value: str) -> str:
    """Text of several lines without control characters other than tab and newline.

    Raises: ValidationError naming the character."""
    return _clean(value.replace("\r\n", "\n").replace("\r", "\n"), allowed="\t\n")


def _clean(value: str, *, allowed: str) -> str:
    bad = _first_bad(value, allowed)
    if bad is not None:
        raise ValidationError(
            _("This contains the control character U+%(code)s. Remove it.") % {"code": f"{ord(bad):04X}"},
            code="control_character",
        )
    return value.strip()
