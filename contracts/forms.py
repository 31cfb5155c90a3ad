"""What people type about contracts and releases."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organisation, User
from accounts.roles import OrganisationKind
from accounts.text import clean_line, clean_text
from contracts.kinds import ReleaseKind
from contracts.models import Defect, Release, ServiceContract, Software
from contracts.terms import add_months, last_covered_day
from contracts.versions import InvalidVersion, sort_key

MOST_MONTHS = 120


class RegisterForm(forms.Form):
    end_user = forms.ModelChoiceField(
        label=gettext_lazy("End user"),
        queryset=Organisation.objects.none(),
        empty_label=gettext_lazy("Choose an end user"),
    )
    software = forms.ModelChoiceField(
        label=gettext_lazy("Software"),
        queryset=Software.objects.none(),
        empty_label=gettext_lazy("Choose the software"),
        help_text=gettext_lazy("One contract covers one software."),
    )
    starts_on = forms.DateField(
        label=gettext_lazy("First covered day"),
        help_text=gettext_lazy("A day where the end user is."),
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    months = forms.IntegerField(
        label=gettext_lazy("Months"),
        help_text=gettext_lazy("At least 12 (C10)."),
        min_value=1,
        max_value=MOST_MONTHS,
        initial=12,
    )
    purchase_order = forms.CharField(label=gettext_lazy("Order number"), max_length=60)
    po_end_user_name = forms.CharField(label=gettext_lazy("End user, as your order names it"), max_length=200)
    po_end_user_address = forms.CharField(
        label=gettext_lazy("Address, as your order gives it"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    renews = forms.ModelChoiceField(
        queryset=ServiceContract.objects.none(),
        to_field_name="number",
        required=False,
        widget=forms.HiddenInput,
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_partner = by.acting is not None and by.acting.organisation.is_partner
        customers = Organisation.objects.visible_to(by).filter(kind=OrganisationKind.END_USER)
        self._offer("end_user", customers.order_by("name", "pk"))
        self._offer("software", Software.objects.visible_to(by).order_by("name", "pk"))
        self._offer("renews", ServiceContract.objects.visible_to(by))
        if not self.is_partner:
            for name in ("purchase_order", "po_end_user_name", "po_end_user_address"):
                self.fields[name].required = False

    def _offer(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows

    def clean_purchase_order(self) -> str:
        return clean_line(self.cleaned_data["purchase_order"])

    def clean_po_end_user_name(self) -> str:
        return clean_line(self.cleaned_data["po_end_user_name"])

    def clean_po_end_user_address(self) -> str:
        return clean_text(self.cleaned_data["po_end_user_address"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts_on, months = cleaned.get("starts_on"), cleaned.get("months")
        if starts_on and months:
            try:
                cleaned["ends_on"] = add_months(starts_on, months)
            except ValueError:
                self.add_error("starts_on", _("This is too far in the future."))
        return cleaned

    @property
    def last_day(self) -> date | None:
        """The last covered day of what stands in the form now, if that can be said."""
        try:
            starts_on = self.fields["starts_on"].clean(self["starts_on"].value())
            months = self.fields["months"].clean(self["months"].value())
            return last_covered_day(add_months(starts_on, months))
        except (forms.ValidationError, ValueError, OverflowError):
            return None


class ApproveForm(forms.Form):
    order_checked = forms.BooleanField(
        label=gettext_lazy("I have checked the purchase order: it means this end user."), required=False
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("The registrar reads this."),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_reason(self) -> str:
        return clean_text(self.cleaned_data["reason"])


class ReleaseForm(forms.Form):
    version = forms.CharField(label=gettext_lazy("Version"), max_length=64)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=ReleaseKind.choices, initial=ReleaseKind.PATCH
    )
    line = forms.CharField(
        label=gettext_lazy("Release line"),
        max_length=40,
        help_text=gettext_lazy("Such as 21.4R3. A line that is new is made."),
    )
    applies_to = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Made for"),
        queryset=Release.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Whoever has accepted one of these is told when it is published (C34, C35)."),
    )
    defect_number = forms.CharField(
        label=gettext_lazy("Fixes defect"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("A patch needs one (C36)."),
    )
    defect_title = forms.CharField(
        label=gettext_lazy("Title of the defect"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Only if the portal does not know it yet."),
    )
    has_no_new_features = forms.BooleanField(
        label=gettext_lazy("It has no new features (C38)"), required=False
    )
    notes = forms.CharField(
        label=gettext_lazy("Release notes"),
        max_length=20000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text=gettext_lazy("Markdown, in English (C67)."),
    )

    def __init__(self, *args: Any, software: Software, releases: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.software = software
        field = self.fields["applies_to"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        field.queryset = releases

    def clean_version(self) -> str:
        version = clean_line(self.cleaned_data["version"])
        try:
            sort_key(version)
        except InvalidVersion as error:
            raise forms.ValidationError(str(error)) from error
        return version

    def clean_line(self) -> str:
        return clean_line(self.cleaned_data["line"])

    def clean_defect_number(self) -> str:
        return clean_line(self.cleaned_data["defect_number"])

    def clean_defect_title(self) -> str:
        return clean_line(self.cleaned_data["defect_title"])

    def clean_notes(self) -> str:
        return clean_text(self.cleaned_data["notes"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        number = cleaned.get("defect_number")
        if number and not cleaned.get("defect_title") and not Defect.objects.filter(number=number).exists():
            self.add_error("defect_title", _("The portal does not know this defect: give its title."))
        return cleaned


class PublishForm(forms.Form):
    has_no_new_features = forms.BooleanField(
        label=gettext_lazy("I confirm that it has no new features (C38)"), required=False
    )
