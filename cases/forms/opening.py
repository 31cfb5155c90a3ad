"""What opening a case asks for."""

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership, Organisation, Site, User
from cases.forms.fields import LineField, RowField, RowsField, TextField
from cases.workflow import Channel, Environment, FollowUp
from contracts.kinds import ReleaseState
from contracts.models import Release, Software
from entitlements.kinds import Priority
from files.forms import UploadField

MAX_WATCHERS: Final = 50
MAX_DESCRIPTION: Final = 200_000
DRAFTED: Final = ("synopsis", "description", "activity", "access", "customer_reference")


class NewCaseForm(forms.Form):
    """What opening a case asks for: what runs where, what is wrong, how bad, whom to keep informed."""

    site = RowField[Site](label=gettext_lazy("Site"), help_text=gettext_lazy("Where the machines stand"))
    environment = forms.ChoiceField(label=gettext_lazy("Environment"), choices=Environment.choices)
    software = RowField[Software](
        label=gettext_lazy("Software"), help_text=gettext_lazy("The custom software in question")
    )
    release = RowField[Release](
        label=gettext_lazy("Running release"), help_text=gettext_lazy("As your node reports it")
    )
    synopsis = LineField(
        label=gettext_lazy("In one line, what is wrong?"),
        max_length=160,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
    )
    description = TextField(
        label=gettext_lazy("What happens, since when, and what did you expect?"),
        help_text=gettext_lazy("In English, please (C50b). Paste log lines as they are; Markdown works."),
        max_length=MAX_DESCRIPTION,
        rows=8,
    )
    activity = TextField(
        label=gettext_lazy("What was being done at the time?"),
        help_text=gettext_lazy("A change, an upgrade, a failover; also what you have tried since"),
        max_length=4000,
        required=False,
        rows=3,
    )
    access = TextField(
        label=gettext_lazy("Access for diagnosis"),
        help_text=gettext_lazy("What our engineers can reach, how, and until when (C44, C57)"),
        max_length=2000,
        required=False,
        rows=2,
    )
    files = UploadField(  # type: ignore[assignment]  # a field: the form class takes it out
        label=gettext_lazy("Files"),
        help_text=gettext_lazy("Logs, configuration, pictures. Several at once; drop or paste them here."),
        required=False,
    )
    priority = forms.ChoiceField(
        label=gettext_lazy("How bad is it?"), choices=Priority.choices, widget=forms.RadioSelect
    )
    customer_reference = LineField(
        label=gettext_lazy("Your reference"),
        help_text=gettext_lazy("The number in your own system; you can search by it"),
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    follow_up = forms.ChoiceField(
        label=gettext_lazy("How shall we follow up?"),
        choices=FollowUp.choices,
        widget=forms.RadioSelect,
        initial=FollowUp.FULL_MAIL,
    )
    watchers = RowsField[Membership](label=gettext_lazy("Whom shall we keep informed?"), required=False)
    is_restricted = forms.BooleanField(
        label=gettext_lazy("Only the colleagues named here may see this case"), required=False
    )
    backup_confirmed = forms.BooleanField(
        label=gettext_lazy("Our data on these machines are protected and backed up"),
        help_text=gettext_lazy("Needed before we start; we cannot answer for data lost on them (C54, C55)."),
        error_messages={
            "required": gettext_lazy(
                "Confirm that your data are protected and backed up; we may not start before."
            )
        },
    )

    def __init__(self, *args: Any, user: User, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organisation = organisation
        for name in DRAFTED:
            # kept in the browser per customer: what one told on the telephone never turns up in another's case
            self.fields[name].widget.attrs["data-draft"] = f"{organisation.slug}:{name}"
        sites = Site.objects.visible_to(user).filter(organisation=organisation).order_by("name", "pk")
        self._row_field("site").offer(sites, empty=_("Choose a site"))
        releases = list(offered_releases(user, organisation))
        software = {release.software_id: release.software for release in releases}
        self._row_field("software").offer(software.values(), empty=_("Choose the software"))
        self._row_field("release").offer(
            releases, empty=_("Choose the release"), group=lambda release: release.software.name
        )
        people = Membership.objects.visible_to(user).active().filter(organisation=organisation)
        colleagues = people.exclude(pk=user.acting.pk if user.acting else 0).select_related("user")
        watchers = self.fields["watchers"]
        assert isinstance(watchers, RowsField)
        watchers.offer(
            colleagues.order_by("user__name", "pk")[:MAX_WATCHERS], label=lambda row: row.user.name
        )
        if not watchers.choices:
            del self.fields["watchers"]
        self._choose_the_only_one("site")
        self._choose_the_only_one("software")

    def _row_field(self, name: str) -> "RowField[Any]":
        field = self.fields[name]
        assert isinstance(field, RowField)
        return field

    def row(self, name: str, pk: int | None) -> Any:
        """One of the rows that the list `name` offers, or None."""
        return self._row_field(name).rows.get(str(pk))

    def narrow_releases(self) -> None:
        """Offer only the releases of the software that is chosen."""
        chosen = str(self["software"].value() or "")
        field = self._row_field("release")
        rows = [release for release in field.rows.values() if str(release.software_id) == chosen]
        if rows:
            field.offer(rows, empty=_("Choose the release"))

    def _choose_the_only_one(self, name: str) -> None:
        rows = self._row_field(name).rows
        if len(rows) == 1:
            self.initial.setdefault(name, next(iter(rows)))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        software, release = cleaned.get("software"), cleaned.get("release")
        if software and release and release.software_id != software.pk:
            self.add_error(
                "release",
                ValidationError(
                    _("%(release)s is not a release of %(software)s; choose one of its releases."),
                    code="release_of_another_product",
                    params={"release": release.version, "software": software.name},
                ),
            )
        return cleaned

    @property
    def shows_telephones(self) -> bool:
        """P1 and P2 are better told by telephone too; nobody is turned away."""
        return self["priority"].value() in (Priority.P1, Priority.P2)

    def values(self, *, by_telephone: bool) -> dict[str, Any]:
        """What `open_case` wants; only for a valid form."""
        values = dict(self.cleaned_data)
        values["uploads"] = values.pop("files")
        values.setdefault("watchers", [])
        return values | {"channel": Channel.PHONE if by_telephone else Channel.WEB}


def offered_releases(user: User, organisation: Organisation) -> Iterable[Release]:
    """The releases of the organisation's software, newest first; drafts are nobody's running release."""
    releases = Release.objects.visible_to(user).filter(software__end_users=organisation)
    releases = releases.exclude(state=ReleaseState.DRAFT).select_related("software")
    return releases.order_by("software__name", "software_id", "-sort_key", "-pk")


class CoverageForm(forms.Form):
    """The four answers that the coverage fragment needs; each may still be missing."""

    site = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    software = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    release = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    priority = forms.ChoiceField(required=False, choices=Priority.choices)

    def answer(self, name: str) -> Any:
        """The value, or None where it is missing or makes no sense."""
        self.is_valid()
        return self.cleaned_data.get(name) or None
