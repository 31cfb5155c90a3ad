"""The registration of a contract: one page, for a known customer or a new one, as a draft or for approval."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms import LongSelect, zone_names
from accounts.models import Organisation, User
from accounts.roles import OrganisationKind
from accounts.text import clean_line, clean_text
from contracts import countries
from contracts.actions import NewEndUser
from contracts.kinds import ContractState
from contracts.models import GoverningDocument, ServiceContract, Software
from contracts.prerequisites import order_differs
from contracts.terms import add_months, is_full_term, last_covered_day

MOST_MONTHS = 120
KNOWN, NEW = "known", "new"
ORDER = ("purchase_order", "po_end_user_name", "po_end_user_address")
NEW_END_USER = ("new_name", "new_address", "new_country", "contact_name", "contact_email")


class RegisterForm(forms.Form):
    whom = forms.ChoiceField(
        label=gettext_lazy("End user"),
        choices=[(KNOWN, gettext_lazy("One of our customers")), (NEW, gettext_lazy("A new end user"))],
        initial=KNOWN,
        required=False,
        widget=forms.RadioSelect,
    )
    end_user = forms.ModelChoiceField(
        label=gettext_lazy("End user"),
        queryset=Organisation.objects.none(),
        empty_label=gettext_lazy("Choose an end user"),
        required=False,
    )
    new_name = forms.CharField(label=gettext_lazy("Name of the end user"), max_length=200, required=False)
    new_address = forms.CharField(
        label=gettext_lazy("Its address"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    new_country = forms.ChoiceField(label=gettext_lazy("Country"), widget=LongSelect, required=False)
    new_zone = forms.ChoiceField(
        widget=LongSelect,
        label=gettext_lazy("Time zone"),
        required=False,
        help_text=gettext_lazy("Days of the contract are days there."),
    )
    contact_name = forms.CharField(label=gettext_lazy("Contact there"), max_length=120, required=False)
    contact_email = forms.EmailField(
        label=gettext_lazy("Mail address of the contact"),
        max_length=254,
        required=False,
        help_text=gettext_lazy("Invited once staff have taken the end user on; a person, no shared mailbox."),
    )
    software = forms.ModelChoiceField(
        label=gettext_lazy("Software"),
        queryset=Software.objects.none(),
        empty_label=gettext_lazy("Choose the software"),
        help_text=gettext_lazy("One contract covers one software."),
        required=False,
    )
    sow_reference = forms.CharField(
        label=gettext_lazy("Or its statement of work"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("The SOW reference, where the software is not in the list."),
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
    co_terminates_with = forms.ModelChoiceField(
        label=gettext_lazy("Let it end together with"),
        queryset=ServiceContract.objects.none(),
        to_field_name="number",
        empty_label=gettext_lazy("No other contract"),
        required=False,
        help_text=gettext_lazy(
            "A contract of the same end user. Shorter than 12 months only if a CSC administrator agrees; until "
            "then the full term stands."
        ),
    )
    co_termination_reason = forms.CharField(
        label=gettext_lazy("Why together"), max_length=400, required=False
    )
    purchase_order = forms.CharField(label=gettext_lazy("Order number"), max_length=60)
    po_end_user_name = forms.CharField(label=gettext_lazy("End user, as your order names it"), max_length=200)
    po_end_user_address = forms.CharField(
        label=gettext_lazy("Address, as your order gives it"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    is_internal_use = forms.BooleanField(
        label=gettext_lazy("The end user uses the software internally only (C8)."),
        required=False,
    )
    agreement = forms.ModelChoiceField(
        label=gettext_lazy("Agreement that governs (C4)"),
        queryset=GoverningDocument.objects.none(),
        empty_label=gettext_lazy("None named"),
        required=False,
    )
    licence = forms.ModelChoiceField(
        label=gettext_lazy("Licence (C5)"),
        queryset=GoverningDocument.objects.none(),
        empty_label=gettext_lazy("The software's own"),
        required=False,
    )
    renews = forms.ModelChoiceField(
        queryset=ServiceContract.objects.none(),
        to_field_name="number",
        required=False,
        widget=forms.HiddenInput,
    )

    def __init__(self, *args: Any, by: User, day: date, as_draft: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_partner = by.acting is not None and by.acting.organisation.is_partner
        self.as_draft = as_draft
        customers = Organisation.objects.visible_to(by).filter(kind=OrganisationKind.END_USER)
        if not self.is_partner:
            customers = customers.filter(is_qualified=True)
        contracts = ServiceContract.objects.visible_to(by)
        documents = (
            GoverningDocument.objects.visible_to(by).in_force_on(day).order_by("kind", "-in_force_from", "pk")
        )
        self._offer("end_user", customers.order_by("name", "pk"))
        self._offer("software", Software.objects.visible_to(by).order_by("name", "pk"))
        self._offer("renews", contracts)
        self._offer("co_terminates_with", self._targets(contracts, day))
        self._offer("agreement", documents.agreements())
        self._offer("licence", documents.licences())
        self._offer_places()
        self._ask_for_what_applies()
        if as_draft or not self.is_partner:
            for name in ORDER:
                self.fields[name].required = False

    def _ask_for_what_applies(self) -> None:
        """Fields of the other kind of end user are not asked for; unsent, each is shown as one that is needed."""
        other = (*NEW_END_USER, "whom", "software") if not self.is_new else ("end_user", "whom", "software")
        for name in ("whom", "end_user", "software", *NEW_END_USER):
            self.fields[name].required = not self.is_bound or name not in other

    def _offer(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows

    def _targets(self, contracts: Any, day: date) -> Any:
        running = contracts.filter(state=ContractState.APPROVED, ends_on__gt=day)
        return running.select_related("end_user", "software").order_by("end_user__name", "ends_on", "pk")

    def _offer_places(self) -> None:
        country, zone = self.fields["new_country"], self.fields["new_zone"]
        assert isinstance(country, forms.ChoiceField)
        assert isinstance(zone, forms.ChoiceField)
        country.choices = [("", _("Choose the country")), *countries.names().items()]
        zones = [name for name in zone_names() if "/" in name]
        zone.choices = [("", _("As usual in that country")), *((name, name) for name in zones)]

    def clean_purchase_order(self) -> str:
        return clean_line(self.cleaned_data["purchase_order"])

    def clean_po_end_user_name(self) -> str:
        return clean_line(self.cleaned_data["po_end_user_name"])

    def clean_po_end_user_address(self) -> str:
        return clean_text(self.cleaned_data["po_end_user_address"])

    def clean_new_name(self) -> str:
        return clean_line(self.cleaned_data["new_name"])

    def clean_new_address(self) -> str:
        return clean_text(self.cleaned_data["new_address"])

    def clean_contact_name(self) -> str:
        return clean_line(self.cleaned_data["contact_name"])

    def clean_sow_reference(self) -> str:
        return clean_line(self.cleaned_data["sow_reference"])

    def clean_co_termination_reason(self) -> str:
        return clean_line(self.cleaned_data["co_termination_reason"])

    @property
    def is_new(self) -> bool:
        return self.is_partner and self["whom"].value() == NEW

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not {"software", "sow_reference"} & set(self.errors):
            if not cleaned.get("software") and not cleaned.get("sow_reference"):
                self.add_error("software", _("Choose the software, or give its statement of work."))
            elif cleaned.get("software") and cleaned.get("sow_reference"):
                self.add_error(
                    "sow_reference", _("Either choose the software or give its statement of work.")
                )
        if not self.as_draft and not cleaned.get("is_internal_use"):
            self.add_error("is_internal_use", _("Only with this declaration the service can be bought (C8)."))
        self._set_end(cleaned)
        return cleaned

    def _set_end(self, cleaned: dict[str, Any]) -> None:
        """The end of so many months; or of the contract to align with, where that makes a full term."""
        starts_on, months = cleaned.get("starts_on"), cleaned.get("months")
        if not starts_on or not months:
            return
        try:
            cleaned["ends_on"] = add_months(starts_on, months)
        except ValueError:
            self.add_error("starts_on", _("This is too far in the future."))
            return
        target = cleaned.get("co_terminates_with")
        if target is not None and is_full_term(starts_on, target.ends_on):
            cleaned["ends_on"], cleaned["co_terminates_with"] = target.ends_on, None

    def registration(self) -> dict[str, Any]:
        """What `register_contract` takes, of a form that is valid."""
        given = dict(self.cleaned_data)
        new = {name: given.pop(name) for name in (*NEW_END_USER, "new_zone")}
        for name in ("whom", "months"):
            given.pop(name)
        if self.is_new:
            given["end_user"] = NewEndUser(
                name=new["new_name"],
                address=new["new_address"],
                country=new["new_country"],
                time_zone=new["new_zone"],
                contact_name=new["contact_name"],
                contact_email=new["contact_email"],
            )
        return {**given, "as_draft": self.as_draft}

    # What the page says while it is being filled in

    def _value(self, name: str) -> Any:
        try:
            return self.fields[name].clean(self[name].value())
        except (forms.ValidationError, ValueError, OverflowError):
            return None

    @property
    def last_day(self) -> date | None:
        """The last covered day of what stands in the form now, if that can be said."""
        starts_on, months = self._value("starts_on"), self._value("months")
        try:
            return last_covered_day(add_months(starts_on, months)) if starts_on and months else None
        except (ValueError, OverflowError):
            return None

    @property
    def is_too_short(self) -> bool:
        months = self._value("months")
        return bool(months and months < 12)

    @property
    def aligned_day(self) -> date | None:
        """The last covered day if the contract ended together with the chosen one."""
        target = self._value("co_terminates_with")
        return last_covered_day(target.ends_on) if target is not None else None

    @property
    def known_end_user(self) -> Organisation | None:
        found: Organisation | None = None if self.is_new else self._value("end_user")
        return found

    @property
    def order_differs(self) -> list[str]:
        """Where what is typed as the order's name and address differs from the chosen end user's record (C9)."""
        known, name, address = self.known_end_user, self["po_end_user_name"], self["po_end_user_address"]
        if known is None or not (name.value() or address.value()):
            return []
        typed = ServiceContract(
            end_user=known,
            partner=known,  # any: only a contract through a partner has an order to compare
            po_end_user_name=name.value() or "",
            po_end_user_address=address.value() or "",
        )
        given = {"name": name.value(), "address": address.value()}
        return [part for part in order_differs(typed) if given[part]]
