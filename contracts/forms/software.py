"""What people type about software and its defects."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organisation, User
from accounts.roles import OrganisationKind
from accounts.text import clean_line, clean_text
from contracts.kinds import GoverningKind, SoftwareKind
from contracts.models import GoverningDocument, Software


class SoftwareForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    slug = forms.SlugField(
        label=gettext_lazy("Short name"),
        max_length=60,
        help_text=gettext_lazy("Stands in addresses, such as pathkeeper. It cannot be changed later."),
    )
    sow_reference = forms.CharField(
        label=gettext_lazy("Statement of work"),
        max_length=60,
        help_text=gettext_lazy("Its reference: custom software is what was delivered under one (C2)."),
    )
    deliverable = forms.CharField(label=gettext_lazy("Deliverable"), max_length=200)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=SoftwareKind.choices,
        help_text=gettext_lazy("Only supported custom software is supported (C18, C73)."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Why its kind changes"),
        max_length=400,
        required=False,
        help_text=gettext_lazy("Kept in the audit trail (C73)."),
    )
    licence = forms.ModelChoiceField(
        label=gettext_lazy("Licence"),
        queryset=GoverningDocument.objects.none(),
        required=False,
        empty_label=gettext_lazy("None yet"),
        help_text=gettext_lazy(
            "Governs what is delivered: the script licence, or another signed agreement (C5)."
        ),
    )
    end_users = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Made for"),
        queryset=Organisation.objects.none(),
        widget=forms.CheckboxSelectMultiple,
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, by: User, software: Software | None = None, **kwargs: Any) -> None:
        if software is not None:
            kwargs["initial"] = _initial(software)
        super().__init__(*args, **kwargs)
        self.software = software
        customers = Organisation.objects.visible_to(by).filter(kind=OrganisationKind.END_USER)
        self._offer("end_users", customers.order_by("name", "pk"))
        licences = GoverningDocument.objects.exclude(kind=GoverningKind.EUSA)
        self._offer("licence", licences.order_by("title", "-in_force_from", "pk"))
        if software is None:
            del self.fields["reason"]
        else:
            del self.fields["slug"]

    def _offer(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows

    def clean_name(self) -> str:
        return clean_line(self.cleaned_data["name"])

    def clean_sow_reference(self) -> str:
        return clean_line(self.cleaned_data["sow_reference"])

    def clean_deliverable(self) -> str:
        return clean_line(self.cleaned_data["deliverable"])

    def clean_reason(self) -> str:
        return clean_line(self.cleaned_data["reason"])

    def clean_description(self) -> str:
        return clean_text(self.cleaned_data["description"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        changes = self.software is not None and cleaned.get("kind") not in (None, self.software.kind)
        if changes and "reason" in cleaned and not cleaned["reason"]:
            self.add_error("reason", _("Say why its kind changes: it decides what is owed (C73)."))
        return cleaned


def _initial(software: Software) -> dict[str, Any]:
    return {
        "name": software.name,
        "sow_reference": software.sow_reference,
        "deliverable": software.deliverable,
        "kind": software.kind,
        "licence": software.licence_id,
        "end_users": list(software.end_users.values_list("pk", flat=True)),
        "description": software.description,
    }


class DefectForm(forms.Form):
    number = forms.CharField(label=gettext_lazy("Number"), max_length=20)
    title = forms.CharField(label=gettext_lazy("Title"), max_length=200)
    workaround = forms.CharField(
        label=gettext_lazy("Workaround"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("What end users can do until it is fixed (C21). They can read it."),
    )

    def clean_number(self) -> str:
        return clean_line(self.cleaned_data["number"])

    def clean_title(self) -> str:
        return clean_line(self.cleaned_data["title"])

    def clean_workaround(self) -> str:
        return clean_text(self.cleaned_data["workaround"])
