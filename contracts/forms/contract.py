"""What people type when they decide about contracts, and about new end users."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from accounts.models import Organisation, User
from accounts.roles import OrganisationKind
from accounts.text import clean_line, clean_text
from contracts.forms.registration import RegisterForm
from contracts.kinds import ContractState
from contracts.models import EndUserRequest, ServiceContract

__all__ = [
    "ApproveForm",
    "ConfirmForm",
    "MergeForm",
    "ReasonForm",
    "RegisterForm",
    "TakeOnForm",
    "UploadForm",
]


class ApproveForm(forms.Form):
    order_checked = forms.BooleanField(
        label=gettext_lazy("I have checked the purchase order: it means this end user."), required=False
    )
    co_terminates_with = forms.ModelChoiceField(
        label=gettext_lazy("Let it end together with"),
        queryset=ServiceContract.objects.none(),
        to_field_name="number",
        empty_label=gettext_lazy("The full term as registered"),
        required=False,
        help_text=gettext_lazy("However short that makes it: your name and the reason are kept (C10)."),
    )
    co_termination_reason = forms.CharField(
        label=gettext_lazy("Why together"), max_length=400, required=False
    )

    def __init__(
        self, *args: Any, contract: ServiceContract | None = None, by: User | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if contract is None or by is None:
            return
        field = self.fields["co_terminates_with"]
        assert isinstance(field, forms.ModelChoiceField)
        targets = ServiceContract.objects.visible_to(by).filter(
            end_user=contract.end_user, state=ContractState.APPROVED, ends_on__gt=contract.starts_on
        )
        field.queryset = targets.select_related("software").order_by("ends_on", "pk")

    def clean_co_termination_reason(self) -> str:
        return clean_line(self.cleaned_data["co_termination_reason"])


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("The registrar reads this."),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_reason(self) -> str:
        return clean_text(self.cleaned_data["reason"])


class TakeOnForm(forms.Form):
    software_is_theirs = forms.BooleanField(
        label=gettext_lazy("The software of its contracts was made for it under the statement of work (C2)."),
        required=False,
    )


class MergeForm(forms.Form):
    into = forms.ModelChoiceField(
        label=gettext_lazy("The end user that it is"),
        queryset=Organisation.objects.none(),
        empty_label=gettext_lazy("Choose the end user"),
        to_field_name="slug",
    )

    def __init__(self, *args: Any, request: EndUserRequest, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["into"]
        assert isinstance(field, forms.ModelChoiceField)
        known = Organisation.objects.visible_to(by).filter(kind=OrganisationKind.END_USER, is_qualified=True)
        field.queryset = known.exclude(pk=request.organisation_id).order_by("name", "pk")


class ConfirmForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name of your organisation"), max_length=200)
    address = forms.CharField(
        label=gettext_lazy("Its address"), max_length=500, widget=forms.Textarea(attrs={"rows": 4})
    )

    def clean_name(self) -> str:
        return clean_line(self.cleaned_data["name"])

    def clean_address(self) -> str:
        return clean_text(self.cleaned_data["address"])


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        help_text=gettext_lazy(
            "UTF-8 or UTF-16; commas, semicolons or tabs. One contract per row, the first row names the columns."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
    )


class AlignForm(forms.Form):
    """Which contracts of one end user should end together, and when."""

    last_day = forms.DateField(
        label=gettext_lazy("Common last covered day"),
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def day(self) -> date | None:
        return self.cleaned_data.get("last_day") if self.is_valid() else None
