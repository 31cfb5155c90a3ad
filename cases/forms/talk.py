"""Words on a case."""

from typing import Final

from django import forms
from django.utils.translation import gettext_lazy

from cases.forms.fields import TextField
from files.forms import UploadField, UploadInput

MAX_BODY: Final = 100_000


class TalkForm(forms.Form):
    """A reply or an internal note."""

    body = TextField(
        label=gettext_lazy("Your text"),
        max_length=MAX_BODY,
        error_messages={"required": gettext_lazy("Write something before you send it.")},
    )
    files = UploadField(  # type: ignore[assignment]  # as above
        label=gettext_lazy("Files"),
        required=False,
        widget=UploadInput(
            attrs={
                "aria-label": gettext_lazy("Attach, drop or paste files"),
                "title": gettext_lazy("Attach, drop or paste files"),
            }
        ),
    )
    expected_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)
