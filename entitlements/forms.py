"""What people type about coverage, exceptions and quotes."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organisation, User
from accounts.roles import OrganisationKind
from accounts.text import clean_line, clean_text
from contracts.models import Release, ServiceContract, Software
from contracts.terms import first_instant
from entitlements.kinds import Priority, QuoteSubject, Subject
from entitlements.reasons import LABELS, MAY_BE_SET_ASIDE, Code

FIRST_YEAR, LAST_YEAR = 1990, 2200


def _day(label: Any, help_text: Any = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        help_text=help_text,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


def _long(label: Any, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=4000, widget=forms.Textarea(attrs={"rows": 5}), **more)


class ReleaseChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # Django has no such brackets
    """A release with the software that it is of."""

    def label_from_instance(self, obj: Release) -> str:
        return f"{obj.software.name} {obj.version}"


def _releases(user: User, organisation: Organisation) -> Any:
    software = Software.objects.visible_to(user).filter(end_users=organisation)
    releases = Release.objects.visible_to(user).exclude(state="draft").filter(software__in=software)
    return releases.select_related("software").order_by("software__name", "-sort_key")


class WhatIfForm(forms.Form):
    """A software, a release and a day in the end user's zone: what would be owed? Asked by address, never written."""

    software = forms.ModelChoiceField(
        label=gettext_lazy("Software"),
        queryset=Software.objects.none(),
        to_field_name="slug",
        empty_label=None,
    )
    release = ReleaseChoice(
        label=gettext_lazy("Running release"),
        queryset=Release.objects.none(),
        required=False,
        empty_label=gettext_lazy("Any: only the contract counts"),
    )
    day = _day(gettext_lazy("Day"))
    priority = forms.ChoiceField(
        label=gettext_lazy("Priority"), choices=Priority.choices, initial=Priority.P1
    )
    subject = forms.ChoiceField(
        label=gettext_lazy("About"), choices=Subject.choices, required=False, initial=Subject.BREAK_FIX
    )
    component = forms.CharField(
        label=gettext_lazy("Component"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("By name, if it is about one (C70)."),
    )

    def __init__(self, *args: Any, by: User, organisation: Organisation, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "what_if_%s")
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(organisation.time_zone)
        is_partner = by.acting is not None and by.acting.organisation.is_partner
        software = Software.objects.visible_to(by).filter(end_users=organisation).order_by("name", "pk")
        if is_partner:
            own = ServiceContract.objects.visible_to(by).filter(end_user=organisation)
            software = software.filter(pk__in=own.values("software"))
        self.fields["software"].queryset = software  # type: ignore[attr-defined]
        self.fields["release"].queryset = _releases(by, organisation)  # type: ignore[attr-defined]
        self.fields["day"].initial = timezone.now().astimezone(self.zone).date()
        if is_partner:  # what runs where is between the end user and the vendor
            for name in ("release", "component"):
                del self.fields[name]

    def clean_component(self) -> str:
        return clean_line(self.cleaned_data["component"])

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise forms.ValidationError(_("This day is out of range."))
        return day

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        release = given.setdefault("release", None)
        given.setdefault("component", "")
        given["subject"] = given.get("subject") or Subject.BREAK_FIX.value
        if release is not None and release.software != given.get("software"):
            self.add_error("release", _("This software has no such release."))
        if given.get("day"):
            given["at"] = self._instant(given["day"])
        return given

    def _instant(self, day: date) -> datetime:
        """The first instant of the day where the end user is; this very moment for today."""
        now = timezone.now()
        if day == now.astimezone(self.zone).date():
            return now
        return first_instant(day, self.zone).astimezone(UTC)


class AskExceptionForm(forms.Form):
    software = forms.ModelChoiceField(
        label=gettext_lazy("Software"),
        queryset=Software.objects.none(),
        to_field_name="slug",
        empty_label=gettext_lazy("Choose the software"),
    )
    release = ReleaseChoice(
        label=gettext_lazy("Release"),
        queryset=Release.objects.none(),
        required=False,
        empty_label=gettext_lazy("Every release"),
    )
    codes = forms.MultipleChoiceField(
        label=gettext_lazy("What should be set aside"),
        choices=lambda: [(code.value, capfirst(LABELS[code])) for code in Code if code in MAY_BE_SET_ASIDE],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("A contract in force is always needed; no exception replaces it."),
    )
    reason = _long(
        gettext_lazy("Why"),
        help_text=gettext_lazy("What happened, what you need, and until when. Work may be charged (C51)."),
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assert by.acting is not None
        organisation = by.acting.organisation
        self.fields["software"].queryset = (  # type: ignore[attr-defined]
            Software.objects.visible_to(by).filter(end_users=organisation).order_by("name", "pk")
        )
        self.fields["release"].queryset = _releases(by, organisation)  # type: ignore[attr-defined]

    def clean_reason(self) -> str:
        return clean_text(self.cleaned_data["reason"])

    def values(self) -> dict[str, Any]:
        """What `actions.ask_exception` takes."""
        return dict(self.cleaned_data)


class AskQuoteForm(forms.Form):
    end_user = forms.ModelChoiceField(
        label=gettext_lazy("End user"),
        queryset=Organisation.objects.none(),
        to_field_name="slug",
        empty_label=gettext_lazy("Choose an end user"),
    )
    about = forms.ChoiceField(label=gettext_lazy("For"), choices=QuoteSubject.choices)
    software = forms.ModelChoiceField(
        label=gettext_lazy("Software"),
        queryset=Software.objects.none(),
        to_field_name="slug",
        required=False,
        empty_label=gettext_lazy("None: it is about Junos OS"),
    )
    text = _long(gettext_lazy("What is needed"))

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assert by.acting is not None
        self.own = by.acting.organisation
        self.fields["software"].queryset = (  # type: ignore[attr-defined]
            Software.objects.visible_to(by).order_by("name", "pk")
        )
        if self.own.is_partner:
            customers = Organisation.objects.visible_to(by).filter(kind=OrganisationKind.END_USER)
            self.fields["end_user"].queryset = customers.order_by("name", "pk")  # type: ignore[attr-defined]
        else:
            del self.fields["end_user"]

    def clean_text(self) -> str:
        return clean_text(self.cleaned_data["text"])

    def values(self) -> dict[str, Any]:
        """What `actions.ask_quote` takes."""
        given = dict(self.cleaned_data)
        return {"organisation": given.pop("end_user", self.own), **given}


class GrantForm(forms.Form):
    last_day = _day(gettext_lazy("Last day"), gettext_lazy("Where the end user is; within a year."))
    is_chargeable = forms.BooleanField(
        label=gettext_lazy("The work is charged (C51)"), required=False, initial=True
    )
    grounds = forms.CharField(label=gettext_lazy("Why it is granted"), max_length=400)

    def clean_grounds(self) -> str:
        return clean_line(self.cleaned_data["grounds"])


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=400)

    def clean_reason(self) -> str:
        return clean_line(self.cleaned_data["reason"])


class AnswerQuoteForm(forms.Form):
    amount = forms.CharField(
        label=gettext_lazy("Amount"), max_length=80, help_text=gettext_lazy("With its currency.")
    )
    last_day = _day(gettext_lazy("Valid until"))
    answer = _long(gettext_lazy("What it includes"), required=False)

    def clean_amount(self) -> str:
        return clean_line(self.cleaned_data["amount"])

    def clean_answer(self) -> str:
        return clean_text(self.cleaned_data["answer"])
