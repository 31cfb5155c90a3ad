"""What people type about requirements, written notices, and the agreements that govern."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.text import clean_line, clean_text
from contracts.actions.obligations import LONGEST_LINE, LONGEST_NOTICE
from contracts.kinds import GoverningKind, RequirementSource, Responsibility

FIRST_YEAR, LAST_YEAR = 1990, 2200
LONGEST_AGREEMENT = 200_000


def _day(**options: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(input_formats=["%Y-%m-%d"], widget=widget, **options)


def _checked(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValidationError(
            _("Give a year between %(first)s and %(last)s.") % {"first": 1990, "last": 2200}
        )
    return day


class RequirementForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("What is required"),
        max_length=LONGEST_LINE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "One thing that the end user has in place or does, so that the solution works (C58)."
        ),
    )
    source = forms.ChoiceField(label=gettext_lazy("Where it comes from"), choices=RequirementSource.choices)
    source_title = forms.CharField(
        label=gettext_lazy("Document, chapter or case"),
        max_length=200,
        help_text=gettext_lazy("So that anybody can look it up (C59)."),
    )
    dated_on = _day(label=gettext_lazy("Dated"))

    def clean_text(self) -> str:
        return clean_text(self.cleaned_data["text"])

    def clean_source_title(self) -> str:
        return clean_line(self.cleaned_data["source_title"])

    def clean_dated_on(self) -> date:
        return _checked(self.cleaned_data["dated_on"])


class MeetForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("How it is met"),
        max_length=LONGEST_LINE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean_note(self) -> str:
        return clean_text(self.cleaned_data["note"])


class NoticeForm(forms.Form):
    responsibility = forms.ChoiceField(
        label=gettext_lazy("Which responsibility"), choices=Responsibility.choices
    )
    is_certain = forms.TypedChoiceField(
        label=gettext_lazy("How sure it is"),
        choices=[
            ("no", gettext_lazy("It is likely that we will not meet it")),
            ("yes", gettext_lazy("It is certain that we will not meet it")),
        ],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
        initial="no",
    )
    text = forms.CharField(
        label=gettext_lazy("What, why, and until when"),
        max_length=LONGEST_NOTICE,
        widget=forms.Textarea(attrs={"rows": 8, "data-draft": "non-fulfilment"}),
        help_text=gettext_lazy("In English, please (C50b). It cannot be changed afterwards."),
    )

    def clean_text(self) -> str:
        return clean_text(self.cleaned_data["text"])


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label=gettext_lazy("Answer"),
        max_length=LONGEST_LINE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "What follows from it. The end user reads it, and it cannot be changed afterwards."
        ),
    )

    def clean_answer(self) -> str:
        return clean_text(self.cleaned_data["answer"])


class GoverningForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=GoverningKind.choices)
    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=200,
        help_text=gettext_lazy("A master services agreement is named after whom it is with."),
    )
    version = forms.CharField(label=gettext_lazy("Version"), max_length=40)
    in_force_from = _day(label=gettext_lazy("In force from"))
    text = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=LONGEST_AGREEMENT,
        widget=forms.Textarea(attrs={"rows": 20}),
        help_text=gettext_lazy("Markdown. A version is never changed afterwards: add another one instead."),
    )

    def clean_title(self) -> str:
        return clean_line(self.cleaned_data["title"])

    def clean_version(self) -> str:
        return clean_line(self.cleaned_data["version"])

    def clean_in_force_from(self) -> date:
        return _checked(self.cleaned_data["in_force_from"])

    def clean_text(self) -> str:
        return clean_text(self.cleaned_data["text"])
