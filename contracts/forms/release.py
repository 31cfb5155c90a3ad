"""What people type about releases: drafts with their manifest and components, publishing, withdrawing, accepting."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.text import clean_line, clean_text
from contracts.actions import ManifestLine, ThirdParty
from contracts.integrity import path_problem
from contracts.kinds import GoverningKind, ReleaseKind
from contracts.models import Defect, GoverningDocument, Release, ReleaseFile, Software
from contracts.versions import InvalidVersion, sort_key
from files.forms import UploadField

Row = TypeVar("Row")

SITE_EDITED: Final = "site-edited"
MARKS: Final = {SITE_EDITED: False, "site": False, "fixed": True}
MOST_NAMED: Final = 10
_SUM: Final = re.compile(r"\\?(?P<sha>[0-9a-fA-F]{64})(?: [ *]| )(?P<rest>.+)")


def _read_lines(text: str, read: Callable[[str], Row]) -> list[Row]:
    """Each line that is not blank, read. Raises: ValidationError naming the lines that cannot be."""
    rows: list[Row] = []
    wrong: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            rows.append(read(line))
        except ValueError as refusal:
            wrong.append(_("Line %(number)d: %(why)s") % {"number": number, "why": refusal})
    if len(wrong) > MOST_NAMED:
        wrong = [*wrong[:MOST_NAMED], _("And %(count)d more lines.") % {"count": len(wrong) - MOST_NAMED}]
    if wrong:
        raise forms.ValidationError(wrong)
    return rows


def read_component(line: str) -> ThirdParty:
    """`name, version, licence`. Raises: ValueError."""
    parts = [part.strip() for part in line.split(",", 2)]
    if len(parts) < 3 or not all(parts):
        raise ValueError(_("a component is a name, a version and a licence, with commas between them."))
    name, version, licence = parts
    if len(name) > 120 or len(version) > 64 or len(licence) > 120:
        raise ValueError(_("the name has at most 120 characters, the version 64, the licence 120."))
    return ThirdParty(name=name, version=version, licence=licence)


def read_manifest_line(line: str) -> ManifestLine:
    """A line of `sha256sum`, then `| size`, then `| site-edited` where it is; -1 stands for a size that is not said.

    Raises: ValueError."""
    match = _SUM.fullmatch(line.rstrip())
    if match is None:
        raise ValueError(_("64 hex digits, two spaces and a path are needed."))
    path, *facts = (part.strip() for part in match["rest"].split(" | "))
    size, is_fixed = -1, True
    for fact in facts:
        if fact.isascii() and fact.isdigit() and len(fact) < 19:
            size = int(fact)
        elif fact in MARKS:
            is_fixed = MARKS[fact]
        else:
            raise ValueError(_("after the path come a size in bytes and “site-edited”, nothing else."))
    if problem := path_problem(path):
        raise ValueError(problem)
    return ManifestLine(path=path, size=size, sha256=match["sha"].lower(), is_fixed=is_fixed)


def manifest_lines(release: Release) -> str:
    """The manifest of a draft as the form takes it."""
    files = ReleaseFile.objects.filter(release=release).order_by("path", "pk")
    return "\n".join(
        f"{file.sha256}  {file.path} | {file.size}" + ("" if file.is_fixed else f" | {SITE_EDITED}")
        for file in files
    )


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
    component = forms.CharField(
        label=gettext_lazy("Base component"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("Of an update that replaces one, such as a library (C37)."),
    )
    applies_to = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Made for"),
        queryset=Release.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Whoever has accepted one of these is told when it is published (C34, C35). "
            "A patch or update that is made for nothing cannot be published."
        ),
    )
    contains = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Patches that it contains"),
        queryset=Release.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Of an update: it is mostly a collection of patches (C37)."),
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
    language = forms.ChoiceField(
        label=gettext_lazy("Language of the notes"), choices=settings.LANGUAGES, initial="en", required=False
    )
    language_reason = forms.CharField(
        label=gettext_lazy("Why not in English"),
        max_length=400,
        required=False,
        help_text=gettext_lazy("Only for another language (C67)."),
    )
    licence = forms.ModelChoiceField(
        label=gettext_lazy("Licence"),
        queryset=GoverningDocument.objects.none(),
        required=False,
        empty_label=gettext_lazy("That of the software"),
        help_text=gettext_lazy("Accepted by the end user before the first download (C5)."),
    )
    components = forms.CharField(
        label=gettext_lazy("Third-party components"),
        max_length=40000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy(
            "One a line: name, version, licence. Such as: OpenSSL, 3.0.15, Apache-2.0. They are not supported (C70)."
        ),
    )
    manifest = forms.CharField(
        label=gettext_lazy("Manifest"),
        max_length=2_000_000,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false", "wrap": "off"}),
        help_text=gettext_lazy(
            "Lines of sha256sum, then the size in bytes: “9f86d081…  bin/pathkeeper | 81920”. "
            "Add “| site-edited” for a file that the end user edits (C42). The size of a file uploaded below is known."
        ),
    )
    uploads = UploadField(
        label=gettext_lazy("Files to download"),
        required=False,
        help_text=gettext_lazy(
            "Each belongs to the line of its name; a file that the manifest does not name is added."
        ),
    )

    def __init__(self, *args: Any, software: Software, releases: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.software = software
        self._offer("applies_to", releases)
        self._offer("contains", releases.filter(kind=ReleaseKind.PATCH))
        licences = GoverningDocument.objects.exclude(kind=GoverningKind.EUSA)
        self._offer("licence", licences.order_by("title", "-in_force_from", "pk"))

    def _offer(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows

    def clean_version(self) -> str:
        version = clean_line(self.cleaned_data["version"])
        try:
            sort_key(version)
        except InvalidVersion as error:
            raise forms.ValidationError(str(error)) from error
        return version

    def clean_line(self) -> str:
        return clean_line(self.cleaned_data["line"])

    def clean_component(self) -> str:
        return clean_line(self.cleaned_data["component"])

    def clean_defect_number(self) -> str:
        return clean_line(self.cleaned_data["defect_number"])

    def clean_defect_title(self) -> str:
        return clean_line(self.cleaned_data["defect_title"])

    def clean_notes(self) -> str:
        return clean_text(self.cleaned_data["notes"])

    def clean_language(self) -> str:
        return self.cleaned_data["language"] or "en"

    def clean_language_reason(self) -> str:
        return clean_line(self.cleaned_data["language_reason"])

    def clean_components(self) -> list[ThirdParty]:
        found = _read_lines(clean_text(self.cleaned_data["components"]), read_component)
        seen: set[tuple[str, str]] = set()
        for one in found:
            if (one.name, one.version) in seen:
                raise forms.ValidationError(
                    _("%(name)s %(version)s is listed twice.") % {"name": one.name, "version": one.version}
                )
            seen.add((one.name, one.version))
        return found

    def clean_manifest(self) -> list[ManifestLine]:
        return _read_lines(clean_text(self.cleaned_data["manifest"]), read_manifest_line)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        number = cleaned.get("defect_number")
        if number and not cleaned.get("defect_title") and not Defect.objects.filter(number=number).exists():
            self.add_error("defect_title", _("The portal does not know this defect: give its title."))
        if cleaned.get("language", "en") != "en" and not cleaned.get("language_reason"):
            self.add_error("language_reason", _("Say why the notes are not in English (C67)."))
        return cleaned


def initial_of(release: Release) -> dict[str, Any]:
    """A draft as the form shows it."""
    components = release.components.order_by("name", "version", "pk")
    return {
        "version": release.version,
        "kind": release.kind,
        "line": release.line.name,
        "component": release.component,
        "applies_to": list(release.applies_to.values_list("pk", flat=True)),
        "contains": list(release.contains.values_list("pk", flat=True)),
        "defect_number": release.fixes.number if release.fixes else "",
        "has_no_new_features": release.has_no_new_features,
        "notes": release.notes,
        "language": release.language,
        "language_reason": release.language_reason,
        "licence": release.licence_id,
        "components": "\n".join(f"{one.name}, {one.version}, {one.licence}" for one in components),
        "manifest": manifest_lines(release),
    }


class PublishForm(forms.Form):
    has_no_new_features = forms.BooleanField(
        label=gettext_lazy("I confirm that it has no new features (C38)"), required=False
    )


class AcceptForm(forms.Form):
    """The digest that the person was shown; a plain request without one accepts what is there."""

    manifest_sha256 = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)


class WithdrawForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Everyone who was told about it can read this."),
    )

    def clean_reason(self) -> str:
        return clean_text(self.cleaned_data["reason"])
