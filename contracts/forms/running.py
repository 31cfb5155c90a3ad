"""What people type about what runs: install tasks, sums to compare, drift."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organisation
from accounts.text import clean_line, clean_text
from contracts.integrity import MOST_BYTES, Reading, Sum, Unreadable, decoded, read_sums, without_prefix
from contracts.models import Release

MOST_SHOWN = 20


class InstallForm(forms.Form):
    organisations = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Who is asked"),
        queryset=Organisation.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Those who run a release that it is made for and have not taken it."),
    )
    due_on = forms.DateField(
        label=gettext_lazy("Install by"),
        help_text=gettext_lazy("A day where each of them is."),
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    instruction = forms.CharField(
        label=gettext_lazy("Instruction"),
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=gettext_lazy(
            "What is to be done, in English. Their technical contacts get it at once (C48)."
        ),
    )

    def __init__(self, *args: Any, organisations: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["organisations"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = organisations

    def clean_instruction(self) -> str:
        return clean_text(self.cleaned_data["instruction"])


class DoneForm(forms.Form):
    done_on = forms.DateField(
        label=gettext_lazy("Installed on"),
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    note = forms.CharField(label=gettext_lazy("Note"), max_length=400, required=False)

    def clean_note(self) -> str:
        return clean_line(self.cleaned_data["note"])


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=400, widget=forms.Textarea(attrs={"rows": 3})
    )

    def clean_reason(self) -> str:
        return clean_text(self.cleaned_data["reason"])


class VerifyForm(forms.Form):
    sums = forms.CharField(
        label=gettext_lazy("Output of sha256sum"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "class": "mono", "spellcheck": "false", "wrap": "off"}),
    )
    upload = forms.FileField(
        label=gettext_lazy("Or a file with it"),
        required=False,
        help_text=gettext_lazy("At most 5 MB and 50,000 lines."),
    )
    folder = forms.CharField(
        label=gettext_lazy("Folder in front of the paths"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Such as /opt/pathkeeper. Leave it empty to have it found."),
    )
    host = forms.CharField(
        label=gettext_lazy("Where it ran"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("Such as the name of the machine."),
    )

    reading: Reading | None = None
    found_prefix = ""

    def clean_folder(self) -> str:
        return clean_line(self.cleaned_data["folder"])

    def clean_host(self) -> str:
        return clean_line(self.cleaned_data["host"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        upload, typed = cleaned.get("upload"), cleaned.get("sums", "")
        if upload and typed.strip():
            self.add_error("upload", _("Paste the output or upload it, not both."))
        elif not upload and not typed.strip():
            if "upload" not in self.errors:
                self.add_error("sums", _("Paste the output of sha256sum, or upload it."))
        else:
            field = "upload" if upload else "sums"
            try:
                text = decoded(upload.read(MOST_BYTES + 1)) if upload else typed
                self._read(field, text)
            except Unreadable as refusal:
                self.add_error(field, str(refusal))
        return cleaned

    def _read(self, field: str, text: str) -> None:
        self.reading = read_sums(text)
        refused = self.reading.refused
        lines = [
            _("Line %(number)d: %(why)s It says: %(text)s")
            % {"number": one.number, "why": one.why, "text": one.text}
            for one in refused[:MOST_SHOWN]
        ]
        if len(refused) > MOST_SHOWN:
            lines.append(_("And %(count)d more lines.") % {"count": len(refused) - MOST_SHOWN})
        for line in lines:
            self.add_error(field, line)
        if not lines and not self.reading.sums:
            self.add_error(field, _("There is no sum in it."))

    def sums_under(self, prefix: str) -> tuple[Sum, ...]:
        """What was read, with the folder cut off."""
        return without_prefix(self.reading.sums, prefix) if self.reading else ()


class DriftForm(forms.Form):
    release = forms.ModelChoiceField(
        label=gettext_lazy("Accepted release"),
        queryset=Release.objects.none(),
        empty_label=gettext_lazy("Choose the release"),
    )
    since = forms.DateField(
        label=gettext_lazy("Since"),
        help_text=gettext_lazy("The first day, where the end user is, on which it differed."),
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    evidence = forms.CharField(
        label=gettext_lazy("Evidence"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy(
            "What shows that it was changed, or that somebody tried to change it (C43, C72). "
            "It is your claim, under your name, and the end user can read it."
        ),
    )
    evidence_file = forms.FileField(label=gettext_lazy("A file that shows it"), required=False)

    def __init__(self, *args: Any, releases: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["release"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = releases

    def clean_evidence(self) -> str:
        return clean_text(self.cleaned_data["evidence"])


def start_of(day: date, organisation: Organisation) -> datetime:
    """The instant at which a day begins where an organisation is."""
    return datetime.combine(day, datetime.min.time(), ZoneInfo(organisation.time_zone))
