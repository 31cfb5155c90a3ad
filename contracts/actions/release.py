"""Releases: drafted by JTAC or Professional Services, published and withdrawn by Professional Services."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Membership, User
from accounts.roles import Permission
from contracts import errors
from contracts.actions.manifest import ManifestLine, kept_bytes, with_files, write_manifest
from contracts.followups import RELEASE_PUBLISHED, RELEASE_WITHDRAWN
from contracts.kinds import InstallState, ReleaseKind, ReleaseState
from contracts.models import (
    Component,
    Defect,
    GoverningDocument,
    InstallTask,
    Release,
    ReleaseLine,
    Software,
)
from contracts.versions import InvalidVersion, sort_key
from files.actions import Sent

# Kinds that are made for releases which somebody runs, and are told about (C23, C35).
FIXES = frozenset({ReleaseKind.PATCH, ReleaseKind.UPDATE})
ENGLISH = "en"

# words that stand where a version does in the addresses of a software's pages
RESERVED = frozenset({"new-release", "edit", "defects", "exposure", "exposure.csv"})


@dataclass(frozen=True, kw_only=True)
class ThirdParty:
    """A component that others made (C70)."""

    name: str
    version: str
    licence: str


def _who(by: User, permission: Permission, message: str) -> Membership:
    if by.acting is None or not by.can(permission):
        raise errors.NotAllowed(message)
    return by.acting


@transaction.atomic
def draft_release(
    *,
    software: Software,
    version: str,
    kind: ReleaseKind,
    line: ReleaseLine | str,
    applies_to: Collection[Release],
    fixes: Defect | None,
    notes: str,
    by: User,
    now: datetime,
    contains: Collection[Release] = (),
    has_no_new_features: bool = False,
    component: str = "",
    language: str = ENGLISH,
    language_reason: str = "",
    licence: GoverningDocument | None = None,
    components: Sequence[ThirdParty] = (),
    manifest: Sequence[ManifestLine] = (),
    uploads: Sent = (),
) -> Release:
    """Draft a release of `software` on a line (made if only its name is given and it is new).

    `applies_to`: the releases that it is made for; `contains`: the patches that an update collects, `component`: the
    base component that it replaces (C37); `uploads`: bytes for lines of the manifest, or files beyond it.

    Raises: NotAllowed, InvalidVersion, VersionTaken, AppliesToAnother, ContainsOther, LanguageUnexplained (C67),
    ManifestWrong, FileDiffers, FileRefused."""
    _who(by, Permission.RELEASE_DRAFT, _("You may not draft releases."))
    _check_own(software, applies_to, contains, fixes, line)
    release = Release(software=software, created_at=now)
    _fill(release, version, kind, line, has_no_new_features=has_no_new_features, component=component)
    release.fixes, release.notes, release.licence = fixes, notes, licence
    _speak(release, language, language_reason)
    _save(release)
    _relate(release, applies_to, contains, components)
    write_manifest(release, with_files(manifest, uploads, by=by, now=now))
    audit.record("release.drafted", by=by, subject=release, now=now, software=software.name, kind=kind)
    return release


@transaction.atomic
def change_draft(
    *,
    release: Release,
    version: str,
    kind: ReleaseKind,
    line: ReleaseLine | str,
    applies_to: Collection[Release],
    fixes: Defect | None,
    notes: str,
    by: User,
    now: datetime,
    contains: Collection[Release] = (),
    has_no_new_features: bool = False,
    component: str = "",
    language: str = ENGLISH,
    language_reason: str = "",
    licence: GoverningDocument | None = None,
    components: Sequence[ThirdParty] = (),
    manifest: Sequence[ManifestLine] = (),
    uploads: Sent = (),
) -> Release:
    """Write a draft anew; bytes stay with the lines whose path and sum have not changed. Nothing else can be edited:
    what was published is what somebody accepted (C42).

    Raises: WrongState once it is published, and what `draft_release` raises."""
    _who(by, Permission.RELEASE_DRAFT, _("You may not draft releases."))
    release = Release.objects.select_for_update(of=("self",)).get(pk=release.pk)
    if release.state != ReleaseState.DRAFT:
        raise errors.WrongState(_("The release is not a draft any more."))
    if any(other.pk == release.pk for other in (*applies_to, *contains)):
        raise errors.AppliesToAnother(_("A release is not made for itself."))
    _check_own(release.software, applies_to, contains, fixes, line)
    _fill(release, version, kind, line, has_no_new_features=has_no_new_features, component=component)
    release.fixes, release.notes, release.licence = fixes, notes, licence
    _speak(release, language, language_reason)
    _save(release)
    _relate(release, applies_to, contains, components)
    write_manifest(release, kept_bytes(release, with_files(manifest, uploads, by=by, now=now)))
    audit.record("release.draft_changed", by=by, subject=release, now=now, software=release.software.name)
    return release


def _fill(
    release: Release,
    version: str,
    kind: ReleaseKind,
    line: ReleaseLine | str,
    *,
    has_no_new_features: bool,
    component: str,
) -> None:
    release.version = _checked(version.strip())
    release.sort_key = sort_key(release.version)
    if isinstance(line, str):
        line = ReleaseLine.objects.get_or_create(software=release.software, name=line.strip())[0]
    release.line, release.kind = line, kind
    release.has_no_new_features, release.component = has_no_new_features, component


def _speak(release: Release, language: str, reason: str) -> None:
    """Deliverables are in English unless somebody says why not (C67)."""
    if language != ENGLISH and not reason.strip():
        raise errors.LanguageUnexplained(_("Say why the notes are not in English (C67)."))
    release.language, release.language_reason = language, reason.strip() if language != ENGLISH else ""


def _checked(version: str) -> str:
    """A version stands in the address of its page. Raises: InvalidVersion."""
    if "/" in version or version.lower() in RESERVED:
        raise InvalidVersion(_("A version cannot hold a slash, or be a word that the portal uses itself."))
    return version


def _check_own(
    software: Software,
    applies_to: Collection[Release],
    contains: Collection[Release],
    fixes: Defect | None,
    line: ReleaseLine | str,
) -> None:
    owners = {release.software_id for release in (*applies_to, *contains)}
    owners |= {row.software_id for row in (fixes, line) if isinstance(row, Defect | ReleaseLine)}
    if owners - {software.pk}:
        raise errors.AppliesToAnother(
            _("A release is made for releases, lines and defects of its own software.")
        )
    if any(release.kind != ReleaseKind.PATCH for release in contains):
        raise errors.ContainsOther(_("An update is a collection of patches (C37)."))


def _save(release: Release) -> None:
    try:
        with transaction.atomic():
            release.save()
    except IntegrityError as error:
        if errors.violated(error) != "contracts_release_version_is_unique_in_its_software":
            raise
        raise errors.VersionTaken(
            _("%(software)s has a release %(version)s.")
            % {"software": release.software.name, "version": release.version}
        ) from error


def _relate(
    release: Release,
    applies_to: Collection[Release],
    contains: Collection[Release],
    components: Sequence[ThirdParty],
) -> None:
    release.applies_to.set(applies_to)
    release.contains.set(contains)
    release.components.all().delete()
    Component.objects.bulk_create(
        [
            Component(release=release, name=one.name, version=one.version, licence=one.licence)
            for one in components
        ]
    )


@transaction.atomic
def publish_release(
    *, release: Release, by: User, now: datetime, has_no_new_features: bool = False
) -> Release:
    """Make a draft available. Who runs what a patch or update is made for is told in this transaction (C23, C35).

    `has_no_new_features`: the confirmation that an update needs (C38), unless the draft carries it.

    Raises: NotAllowed, WrongState, DefectMissing (C36), NewFeatures (C38), AppliesToAnother."""
    acting = _who(by, Permission.RELEASE_PUBLISH, _("Only Professional Services publish releases."))
    release = Release.objects.select_for_update(of=("self",)).get(pk=release.pk)
    if release.state != ReleaseState.DRAFT:
        raise errors.WrongState(_("The release is not a draft any more."))
    release.has_no_new_features = release.has_no_new_features or has_no_new_features
    problems = unpublishable(release)
    if problems:
        raise problems[0]
    release.state = ReleaseState.PUBLISHED
    release.published_at, release.published_by = now, acting
    release.save(update_fields=["state", "published_at", "published_by", "has_no_new_features"])
    audit.record("release.published", by=by, subject=release, now=now, software=release.software.name)
    RELEASE_PUBLISHED.call(release=release, by=by, now=now)
    return release


def unpublishable(release: Release) -> list[errors.ContractError]:
    """What stands in the way of publishing a draft, for its page to say before somebody tries."""
    found: list[errors.ContractError] = []
    if release.kind == ReleaseKind.PATCH and release.fixes_id is None:
        found.append(errors.DefectMissing(_("A patch names the defect that it fixes (C36).")))
    if release.kind == ReleaseKind.UPDATE and not release.has_no_new_features:
        found.append(errors.NewFeatures(_("Confirm that the update has no new features (C38).")))
    if release.kind in FIXES and not release.applies_to.exists():
        found.append(errors.AppliesToAnother(_("Say which releases it is made for (C34).")))
    return found


@transaction.atomic
def withdraw_release(*, release: Release, reason: str, by: User, now: datetime) -> Release:
    """Take a published release back; it is offered to nobody any more, and no open task asks to install it.

    Raises: NotAllowed, WrongState, ReasonNeeded."""
    acting = _who(by, Permission.RELEASE_PUBLISH, _("Only Professional Services withdraw releases."))
    reason = reason.strip()[:400]
    if not reason:
        raise errors.ReasonNeeded(_("Give a reason."))
    release = Release.objects.select_for_update(of=("self",)).get(pk=release.pk)
    if release.state != ReleaseState.PUBLISHED:
        raise errors.WrongState(_("Only a published release can be withdrawn."))
    release.state = ReleaseState.WITHDRAWN
    release.withdrawn_at, release.withdrawn_by, release.withdrawn_reason = now, acting, reason
    release.save(update_fields=["state", "withdrawn_at", "withdrawn_by", "withdrawn_reason"])
    InstallTask.objects.filter(release=release, state=InstallState.OPEN).update(
        state=InstallState.CANCELLED, closed_at=now, closed_by=acting, closing_note=reason
    )
    audit.record("release.withdrawn", by=by, subject=release, now=now, reason=reason)
    RELEASE_WITHDRAWN.call(release=release, by=by, now=now)
    return release
