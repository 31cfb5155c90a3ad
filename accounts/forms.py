"""What people type about themselves and each other."""

import zoneinfo
from functools import cache
from typing import Any

from allauth.account.forms import SignupForm
from allauth.core import context
from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiToken, Membership, Organisation, User
from accounts.roles import ROLES_OF_KIND, Role
from accounts.text import clean_line


@cache
def zone_names() -> tuple[str, ...]:
    """Every time zone this machine knows, by name. Reading them from the disk takes ten milliseconds: once."""
    return tuple(sorted(zoneinfo.available_timezones()))


class LongSelect(forms.Select):
    """A choice of hundreds, written in one go: Django runs a template for each option, a tenth of a second a page."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: object = None
    ) -> SafeString:
        chosen = set(self.format_value(value))
        options = format_html_join(
            "\n",
            '<option value="{}"{}>{}</option>',
            ((key, " selected" if str(key) in chosen else "", label) for key, label in self.choices),
        )
        own = flatatt({"name": name, **self.build_attrs(self.attrs, attrs)})
        return format_html("<select{}>{}</select>", own, options)


class InvitedSignupForm(SignupForm):  # type: ignore[misc]
    """Sign-up of an invited person: name and password. The address is the invitation's and cannot be changed."""

    name = forms.CharField(
        label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    field_order = ["email", "name", "password1"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        email = self.fields["email"]
        # a disabled field takes its initial value, whatever is sent
        email.disabled = True
        email.initial = context.request.session.get("account_verified_email", "")

    def clean_name(self) -> str:
        return clean_line(self.cleaned_data["name"])


class InviteForm(forms.Form):
    organisation = forms.ModelChoiceField(label=_("Organisation"), queryset=Organisation.objects.none())
    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("A real person; no shared mailbox."))
    email = forms.EmailField(label=_("Mail address"), max_length=254)
    roles = forms.MultipleChoiceField(label=_("Roles"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assert by.acting is not None
        own = by.acting.organisation
        organisations = Organisation.objects.visible_to(by).order_by("name", "pk")
        if not by.is_vendor_staff:
            organisations = organisations.filter(pk=own.pk)
        field = self.fields["organisation"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = organisations
        if not by.is_vendor_staff:
            field.initial = own.pk
            field.widget = forms.HiddenInput()
        roles = self.fields["roles"]
        assert isinstance(roles, forms.MultipleChoiceField)
        offered = set(Role) if by.is_vendor_staff else ROLES_OF_KIND[own.kind]
        roles.choices = [(r.value, r.label) for r in Role if r in offered]

    def clean_name(self) -> str:
        return clean_line(self.cleaned_data["name"])


class EndAccessForm(forms.Form):
    """Ends a membership, or the whole account: why, and who takes over the open cases."""

    successor = forms.ModelChoiceField(
        label=_("Open cases go to"),
        queryset=Membership.objects.none(),
        required=False,
        empty_label=_("Nobody in particular"),
    )
    reason = forms.CharField(label=_("Reason"), max_length=200)

    def __init__(self, *args: Any, membership: Membership, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["successor"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = (
            Membership.objects.visible_to(by)
            .active()
            .filter(organisation=membership.organisation)
            .exclude(pk=membership.pk)
            .select_related("user", "organisation")
            .order_by("user__name", "pk")
        )

    def clean_reason(self) -> str:
        return clean_line(self.cleaned_data["reason"])


class ProfileForm(forms.ModelForm[User]):
    time_zone = forms.ChoiceField(label=_("Time zone"), widget=LongSelect)
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("As my browser asks")), ("en", "English"), ("ko", "한국어")],
    )
    theme = forms.ChoiceField(
        label=_("Appearance"),
        required=False,
        choices=[
            ("auto", _("As my system")),
            ("light", _("Light")),
            ("dark", _("Dark")),
            ("contrast", _("High contrast")),
        ],
    )

    class Meta:
        model = User
        fields = ["name", "telephone", "time_zone", "language", "theme", "has_shortcuts"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = self.fields["time_zone"]
        assert isinstance(zone, forms.ChoiceField)
        zone.choices = [(z, z) for z in zone_names()]

    def clean_name(self) -> str:
        return clean_line(self.cleaned_data["name"])

    def clean_telephone(self) -> str:
        return clean_line(self.cleaned_data["telephone"])


class TokenForm(forms.ModelForm[ApiToken]):
    days = forms.IntegerField(label=_("Valid for (days)"), min_value=1, max_value=365, initial=90)

    class Meta:
        model = ApiToken
        fields = ["name", "scope"]

    def clean_name(self) -> str:
        return clean_line(self.cleaned_data["name"])
