"""Kinds of fields: plain text, several files, and a choice among rows that are at hand."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

# what a terminal or a log file may bring along and still means something
_KEPT_CONTROLS = frozenset("\t\n\r")

RowT = TypeVar("RowT", bound=Model)
Text = str | Promise


def no_control_characters(value: str) -> None:
    """Raises: ValidationError that says where the first control character stands."""
    for at, sign in enumerate(value):
        if unicodedata.category(sign) == "Cc" and sign not in _KEPT_CONTROLS:
            raise ValidationError(
                _(
                    "Remove the control character U+%(code)s in line %(line)s; it cannot be shown or searched."
                ),
                code="control_character",
                params={"code": f"{ord(sign):04X}", "line": value.count("\n", 0, at) + 1},
            )


def is_mostly_not_latin(text: str) -> bool:
    """Whether more than half of the letters are not Latin: worth the reminder that JTAC reads English (C50b).

    Never a reason to refuse. Text of fewer than eight letters tells nothing."""
    letters = [sign for sign in text[:20_000] if sign.isalpha()]
    latin = sum(1 for sign in letters if sign < "\u0250" or unicodedata.name(sign, "").startswith("LATIN"))
    return len(letters) >= 8 and latin * 2 < len(letters)


class LineField(forms.CharField):
    """One line of plain text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.append(no_control_characters)

    def to_python(self, value: Any) -> Any:
        return " ".join(str(super().to_python(value)).splitlines())


class TextField(forms.CharField):
    """Several lines; Markdown where a page shows it as such."""

    def __init__(self, *, rows: int = 4, draft: str = "", **options: Any) -> None:
        attributes: dict[str, Any] = {"rows": rows, "dir": "auto"}
        if draft:
            attributes["data-draft"] = draft
        super().__init__(widget=forms.Textarea(attrs=attributes), **options)
        self.validators.append(no_control_characters)

    def to_python(self, value: Any) -> Any:
        return str(super().to_python(value)).replace("\r\n", "\n")


class RowField(forms.ChoiceField, Generic[RowT]):
    """One of these rows, all of them at hand: rendering and checking ask the database nothing."""

    default_error_messages = {"invalid_choice": gettext_lazy("Choose one of the entries of the list.")}

    def offer(
        self,
        rows: Iterable[RowT],
        *,
        empty: Text = "",
        none: tuple[str, Text] | None = None,
        group: Callable[[RowT], str] | None = None,
        label: Callable[[RowT], str] = str,
    ) -> None:
        """Fill the list; `group` puts the rows under headings; `none` is an answer that is no row, cleaned to None."""
        self.rows: dict[str, RowT] = {str(row.pk): row for row in rows}
        choices: list[tuple[Any, Any]] = [("", empty)] if empty else []
        if group is None:
            choices += [(pk, label(row)) for pk, row in self.rows.items()]
        else:
            groups: dict[str, list[tuple[str, str]]] = {}
            for pk, row in self.rows.items():
                groups.setdefault(group(row), []).append((pk, label(row)))
            choices += list(groups.items())
        self.choices = [*choices, none] if none else choices

    def clean(self, value: Any) -> Any:
        return self.rows.get(super().clean(value))


class RowsField(forms.MultipleChoiceField, Generic[RowT]):
    """Any of these rows."""

    widget = forms.CheckboxSelectMultiple
    default_error_messages = {"invalid_choice": gettext_lazy("Choose among the entries of the list.")}

    def offer(self, rows: Iterable[RowT], *, label: Callable[[RowT], str] = str) -> None:
        self.rows: dict[str, RowT] = {str(row.pk): row for row in rows}
        self.choices = [(pk, label(row)) for pk, row in self.rows.items()]

    def clean(self, value: Any) -> Any:
        return [self.rows[pk] for pk in super().clean(value)]


def files_in_words(files: Sequence[UploadedFile[Any]]) -> str:
    """That the files have to be chosen again: no browser fills them in a second time."""
    return ngettext(
        "Choose your file again: a browser does not keep it.",
        "Choose your %(count)s files again: a browser does not keep them.",
        len(files),
    ) % {"count": len(files)}
