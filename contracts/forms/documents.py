"""What people type about design documents, test plans, and the work when one is lacking."""

from django import forms
from django.utils.translation import gettext_lazy

from accounts.text import clean_line, clean_text
from contracts.kinds import DocumentKind
from files.forms import UploadField


class DocumentForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("Document"), choices=DocumentKind.choices)
    version = forms.CharField(
        label=gettext_lazy("Version"),
        max_length=40,
        help_text=gettext_lazy("Such as 1.0 or 2026-11-22. Both sides agree to exactly this version."),
    )
    title = forms.CharField(label=gettext_lazy("Title"), max_length=200)
    sent = UploadField(label=gettext_lazy("File"), most=1)

    def clean_version(self) -> str:
        return clean_line(self.cleaned_data["version"])

    def clean_title(self) -> str:
        return clean_line(self.cleaned_data["title"])


class PriceForm(forms.Form):
    price = forms.CharField(
        label=gettext_lazy("Price"),
        max_length=80,
        help_text=gettext_lazy(
            "As agreed with the customer, with its currency. End user and partner read it (C14)."
        ),
    )

    def clean_price(self) -> str:
        return clean_line(self.cleaned_data["price"])


class CancelTaskForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("End user and partner read it. The documents stay asked for (C12)."),
    )

    def clean_reason(self) -> str:
        return clean_text(self.cleaned_data["reason"])
