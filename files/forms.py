"""A file field for any form: plain files without JavaScript, resumable uploads with it (static/upload.js).

Cleaned, it is what `files.actions.take_in` takes: files of this request and numbers of finished uploads."""

import json
from typing import Any, Final
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.urls import reverse
from django.utils.translation import gettext as _

MAX_FILES: Final = 20
LONGEST: Final = 300


class Arrived(str):
    """A finished upload as the hidden part of the form has it: its number, a colon, the name to show."""

    __slots__ = ()

    @property
    def number(self) -> UUID | None:
        try:
            return UUID(self.partition(":")[0])
        except ValueError:
            return None

    @property
    def name(self) -> str:
        return self.partition(":")[2] or _("file")


def _words() -> str:
    """What the script says; it glues nothing together."""
    return json.dumps(
        {
            "waiting": _("waiting"),
            "sending": _("%(percent)s % of %(size)s"),
            "paused": _("paused at %(percent)s %"),
            "retrying": _("connection lost at %(percent)s %; trying again"),
            "done": _("arrived, %(size)s"),
            "failed": _("was not taken"),
            "pause": _("Pause"),
            "resume": _("Go on"),
            "again": _("Try again"),
            "remove": _("Remove"),
            "unfinished": _("%(name)s was sent up to %(percent)s %. Choose it again to go on from there."),
            "tooLarge": _("%(name)s is larger than %(size)s."),
            "tooMany": _("At most %(count)s files at once."),
            "empty": _("%(name)s is empty."),
            "holding": _("The form is sent as soon as the files have arrived."),
            "allDone": _("All files have arrived."),
        }
    )


class UploadInput(forms.ClearableFileInput):
    """Give `<name>` as files and `<name>_ids` as finished uploads; templates/files/upload_input.html."""

    template_name = "files/upload_input.html"
    allow_multiple_selected = True

    class Media:
        js = ("upload.js",)

    def __init__(self, attrs: dict[str, Any] | None = None, *, multiple: bool = True) -> None:
        super().__init__({**(attrs or {}), **({"multiple": True} if multiple else {})})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, None, attrs)
        arrived = [one for one in (value if isinstance(value, list) else []) if isinstance(one, Arrived)]
        context["widget"] |= {
            "arrived": [one for one in arrived if one.number],
            "url": reverse("uploads"),
            "limit": settings.FILE_MAX_BYTES,
            "most": MAX_FILES,
            "words": _words(),
        }
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        sent = files.getlist(name) if hasattr(files, "getlist") else filter(None, [files.get(name)])
        key = f"{name}_ids"
        ids = data.getlist(key) if hasattr(data, "getlist") else data.get(key, [])
        return [*sent, *(Arrived(one[:LONGEST]) for one in ids)]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in files and f"{name}_ids" not in data

    def use_required_attribute(self, initial: Any) -> bool:
        return False  # the files may have gone ahead of the form


class UploadField(forms.FileField):
    """Several files, or at most `most`. How large one may be, and what its name becomes, the actions know."""

    widget = UploadInput

    def __init__(self, *, most: int = MAX_FILES, **options: Any) -> None:
        options.setdefault("widget", UploadInput(multiple=most > 1))
        super().__init__(**options)
        self.most = most

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any] | UUID]:
        given = list(data or [])
        if self.required and not given:
            raise ValidationError(self.error_messages["required"], code="required")
        if len(given) > self.most:
            raise ValidationError(_("Attach at most %(count)s files at once."), params={"count": self.most})
        return [self._one(item, initial) for item in given]

    def _one(self, item: Any, initial: Any) -> UploadedFile[Any] | UUID:
        if not isinstance(item, Arrived):
            cleaned: UploadedFile[Any] = super().clean(item, initial)
            return cleaned
        if item.number is None:
            raise ValidationError(_("This upload is not there any more. Choose the file again."))
        return item.number
