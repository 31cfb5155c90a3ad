"""What people type about cases, checked before an action sees it. A refusal stands beside its cause."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from accounts.models import Membership, Organisation, Site, User
from cases.models import Case
from cases.workflow import MOVES, CaseState, Channel, Environment, FollowUp
from contracts.kinds import ReleaseState
from contracts.models import Release, Software
from entitlements.kinds import Priority

MAX_FILES = 20
MAX_WATCHERS = 50
MAX_BODY = 100_000
MAX_DESCRIPTION = 200_000
# what a terminal or a log file may bring along and still means something
_KEPT_CONTROLS = frozenset("\t\n\r")

RowT = TypeVar("RowT", bound=Model)
Text = str | Promise


def no_control_characters(value: str) -> None:
    """Raises: ValidationError that says where the first control character stands."""
    for at, sign in enumerate(value):
        if unicodedata.category(sign) == "Cc" and sign not in _KEPT_CONTROLS:
            raise ValidationError(
                _(
                    "Remove the control character U+%(code)s in line %(line)s; it cannot be shown or searched."
                ),
                code="control_character",
                params={"code": f"{ord(sign):04X}", "line": value.count("\n", 0, at) + 1},
            )


def is_mostly_not_latin(text: str) -> bool:
    """Whether more than half of the letters are not Latin: worth the reminder that JTAC reads English (C50b).

    Never a reason to refuse. Text of fewer than eight letters tells nothing."""
    letters = [sign for sign in text[:20_000] if sign.isalpha()]
    latin = sum(1 for sign in letters if sign < "\u0250" or unicodedata.name(sign, "").startswith("LATIN"))
    return len(letters) >= 8 and latin * 2 < len(letters)


class LineField(forms.CharField):
    """One line of plain text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.append(no_control_characters)

    def to_python(self, value: Any) -> Any:
        return " ".join(str(super().to_python(value)).splitlines())


class TextField(forms.CharField):
    """Several lines; Markdown where a page shows it as such."""

    def __init__(self, *, rows: int = 4, draft: bool = False, **options: Any) -> None:
        attributes: dict[str, Any] = {"rows": rows, "dir": "auto"}
        if draft:
            attributes["data-draft"] = True
        super().__init__(widget=forms.Textarea(attrs=attributes), **options)
        self.validators.append(no_control_characters)

    def to_python(self, value: Any) -> Any:
        return str(super().to_python(value)).replace("\r\n", "\n")


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files. How large one may be, and what its name becomes, is the business of `files`."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        files = [one for one in (data if isinstance(data, list | tuple) else [data]) if one]
        if len(files) > MAX_FILES:
            raise ValidationError(_("Attach at most %(count)s files at once."), params={"count": MAX_FILES})
        return [super(FilesField, self).clean(one, initial) for one in files]


class RowField(forms.ChoiceField, Generic[RowT]):
    """One of these rows, all of them at hand: rendering and checking ask the database nothing."""

    default_error_messages = {"invalid_choice": gettext_lazy("Choose one of the entries of the list.")}

    def offer(
        self,
        rows: Iterable[RowT],
        *,
        empty: Text = "",
        group: Callable[[RowT], str] | None = None,
        label: Callable[[RowT], str] = str,
    ) -> None:
        """Fill the list; `group` puts the rows under headings."""
        self.rows: dict[str, RowT] = {str(row.pk): row for row in rows}
        choices: list[tuple[Any, Any]] = [("", empty)] if empty else []
        if group is None:
            choices += [(pk, label(row)) for pk, row in self.rows.items()]
        else:
            groups: dict[str, list[tuple[str, str]]] = {}
            for pk, row in self.rows.items():
                groups.setdefault(group(row), []).append((pk, label(row)))
            choices += list(groups.items())
        self.choices = choices

    def clean(self, value: Any) -> Any:
        return self.rows.get(super().clean(value))


class RowsField(forms.MultipleChoiceField, Generic[RowT]):
    """Any of these rows."""

    widget = forms.CheckboxSelectMultiple
    default_error_messages = {"invalid_choice": gettext_lazy("Choose among the entries of the list.")}

    def offer(self, rows: Iterable[RowT], *, label: Callable[[RowT], str] = str) -> None:
        self.rows: dict[str, RowT] = {str(row.pk): row for row in rows}
        self.choices = [(pk, label(row)) for pk, row in self.rows.items()]

    def clean(self, value: Any) -> Any:
        return [self.rows[pk] for pk in super().clean(value)]


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
        widget=forms.TextInput(attrs={"data-draft": True, "autocomplete": "off", "dir": "auto"}),
    )
    description = TextField(
        label=gettext_lazy("What happens, since when, and what did you expect?"),
        help_text=gettext_lazy("In English, please (C50b). Paste log lines as they are; Markdown works."),
        max_length=MAX_DESCRIPTION,
        rows=8,
        draft=True,
    )
    activity = TextField(
        label=gettext_lazy("What was being done at the time?"),
        help_text=gettext_lazy("A change, an upgrade, a failover; also what you have tried since"),
        max_length=4000,
        required=False,
        rows=3,
        draft=True,
    )
    access = TextField(
        label=gettext_lazy("Access for diagnosis"),
        help_text=gettext_lazy("What our engineers can reach, how, and until when (C44, C57)"),
        max_length=2000,
        required=False,
        rows=2,
        draft=True,
    )
    files = FilesField(
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
        widget=forms.TextInput(attrs={"data-draft": True, "autocomplete": "off"}),
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
        sites = Site.objects.visible_to(user).filter(organisation=organisation).order_by("name", "pk")
        self._row_field("site").offer(sites, empty=_("Choose a site"))
        releases = list(offered_releases(user, organisation))
        software = {release.software_id: release.software for release in releases}
        self._row_field("software").offer(software.values(), empty=_("Choose the software"))
        self._row_field("release").offer(
            releases, empty=_("Choose the release"), group=lambda release: release.software.name
        )
        people = Membership.objects.visible_to(user).active().filter(organisation=organisation)
        colleagues = people.exclude(pk=user.acting.pk if user.acting else None).select_related("user")
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


class TalkForm(forms.Form):
    """A reply or an internal note."""

    body = TextField(
        label=gettext_lazy("Your text"),
        max_length=MAX_BODY,
        error_messages={"required": gettext_lazy("Write something before you send it.")},
    )
    files = FilesField(label=gettext_lazy("Files"), required=False)
    expected_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)


class ActForm(forms.Form):
    """The base of the small forms on a case page. `expected_version` is what the person was looking at."""

    expected_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {}).setdefault("expected_version", case.version)
        super().__init__(*args, **kwargs)

    def values(self) -> dict[str, Any]:
        """What the action wants beside the case; only for a valid form."""
        values = dict(self.cleaned_data)
        values["expected_version"] = values.get("expected_version")
        return values


def reason_field(
    label: Text, *, max_length: int = 400, help_text: Text = "", required: bool = True
) -> TextField:
    return TextField(label=label, help_text=help_text, max_length=max_length, required=required, rows=3)


class ReasonForm(ActForm):
    reason = reason_field(gettext_lazy("Reason"))


class DenyForm(ActForm):
    reason = reason_field(
        gettext_lazy("What still does not work?"),
        help_text=gettext_lazy("The clocks and the management ladder start again at this moment."),
    )


class RejectForm(ActForm):
    reason = reason_field(gettext_lazy("What is missing or still wrong?"))


class ReopenForm(ActForm):
    reason = reason_field(gettext_lazy("What has come back?"))


class PriorityForm(ActForm):
    """Another priority, with the reason; which ones are offered depends on the direction."""

    to = forms.ChoiceField(label=gettext_lazy("New priority"), widget=forms.RadioSelect)
    reason = reason_field(gettext_lazy("Why?"))
    higher = True

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, case=case, **kwargs)
        offered = [one for one in Priority if (one < case.priority if self.higher else one > case.priority)]
        field = self.fields["to"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one.value, one.label) for one in offered]
        if len(offered) == 1:
            field.initial = offered[0].value


class RaiseForm(PriorityForm):
    """Upwards: the ladder of the new priority starts at once (C22)."""


class LowerForm(PriorityForm):
    """Downwards: everyone already alerted is told, and the customer."""

    higher = False


class StateForm(ActForm):
    """The moves that JTAC makes by hand; waiting for the customer and proposing have forms of their own."""

    to = forms.ChoiceField(label=gettext_lazy("New state"), widget=forms.RadioSelect)
    reason = reason_field(gettext_lazy("Reason"), max_length=200, required=False)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, case=case, **kwargs)
        own = {CaseState.CUSTOMER_PENDING, CaseState.RESOLUTION_PROPOSED}
        moves = MOVES[case.state] - own
        field = self.fields["to"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one.value, one.label) for one in CaseState if one in moves]


class AskForm(ActForm):
    """Ask the customer for something: the case waits, and says for what (C56, C60, C68)."""

    reason = reason_field(
        gettext_lazy("What do we need from the customer?"),
        max_length=200,
        help_text=gettext_lazy(
            "The customer reads this. Targets stand still meanwhile; P1 and P2 alerts do not."
        ),
    )

    def values(self) -> dict[str, Any]:
        return super().values() | {"to": CaseState.CUSTOMER_PENDING}


class AssignForm(ActForm):
    to = RowField[Membership](label=gettext_lazy("Engineer"), required=False)

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        engineers: Sequence[Membership] = kwargs.pop("engineers", ())
        super().__init__(*args, case=case, **kwargs)
        field = self.fields["to"]
        assert isinstance(field, RowField)
        field.offer(engineers, empty=_("Nobody"), label=lambda row: row.user.name)
        self.initial["to"] = case.owner_id


class RestoredForm(ActForm):
    note = reason_field(
        gettext_lazy("What restored it?"),
        required=False,
        help_text=gettext_lazy(
            "The customer is told, and may deny it. What is pending on the ladder is cancelled."
        ),
    )


class ProposeForm(ActForm):
    resolution = TextField(
        label=gettext_lazy("How is it solved?"),
        help_text=gettext_lazy("The customer accepts or rejects this text. Markdown works."),
        max_length=20_000,
        rows=6,
        draft=True,
    )
    cause = LineField(label=gettext_lazy("Cause"), max_length=400, required=False)


class EscalateForm(ActForm):
    """The reasons that a customer may give (support practice, "Management escalation")."""

    reason = forms.ChoiceField(
        label=gettext_lazy("What do you need?"),
        widget=forms.RadioSelect,
        choices=[
            ("faster_progress", gettext_lazy("Faster progress")),
            ("status_update", gettext_lazy("A status update")),
            ("engineer_now", gettext_lazy("An engineer now")),
            ("reassignment", gettext_lazy("Another engineer")),
            ("other", gettext_lazy("Something else")),
        ],
    )
    note = reason_field(gettext_lazy("Say more"), required=False)


def files_in_words(files: Sequence[UploadedFile]) -> str:
    """That the files have to be chosen again: no browser fills them in a second time."""
    return str(
        ngettext_lazy(
            "Choose your file again: a browser does not keep it.",
            "Choose your %(count)s files again: a browser does not keep them.",
            "count",
        )
        % {"count": len(files)}
    )
