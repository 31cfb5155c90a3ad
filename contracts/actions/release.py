"""Software, defects, and releases: drafted, published, withdrawn by Professional Services."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts import errors
from contracts.followups import RELEASE_PUBLISHED
from contracts.kinds import ReleaseKind, ReleaseState, SoftwareKind
from contracts.models import (
    Defect,
    GoverningDocument,
    Release,
    ReleaseFile,
    ReleaseLine,
    Software,
)
from contracts.versions import InvalidVersion, sort_key
from files.models import StoredFile

# Kinds that are made for releases which somebody runs, and are told about (C23, C35).
FIXES = frozenset({ReleaseKind.PATCH, ReleaseKind.UPDATE})

# words that stand where a version does in the addresses of a software's pages
RESERVED = frozenset({"new-release"})


@dataclass(frozen=True, kw_only=True)
class ManifestLine:
    """One file of a release: how a customer shows that the accepted version is unmodified (C42)."""

    path: str
    size: int
    sha256: str
    is_fixed: bool = True
    stored: StoredFile | None = None


def _who(by: User, permission: Permission, message: str) -> Membership:
    if by.acting is None or not by.can(permission):
        raise errors.NotAllowed(message)
    return by.acting


@transaction.atomic
def register_software(
    *,
    name: str,
    slug: str,
    sow_reference: str,
    deliverable: str,
    end_users: Collection[Organisation],
    by: User,
    now: datetime,
    description: str = "",
    kind: SoftwareKind = SoftwareKind.SUPPORTED,
    licence: GoverningDocument | None = None,
) -> Software:
    """Record what Professional Services delivered under a statement of work, and for whom (C2, C73).

    Raises: NotAllowed, VersionTaken if the short name is in use."""
    _who(by, Permission.RELEASE_PUBLISH, _("Only Professional Services register software."))
    try:
        with transaction.atomic():
            software = Software.objects.create(
                name=name,
                slug=slug,
                sow_reference=sow_reference,
                deliverable=deliverable,
                description=description,
                kind=kind,
                licence=licence,
                created_at=now,
            )
    except IntegrityError as error:
        if "slug" not in errors.violated(error):
            raise
        raise errors.VersionTaken(_("Another software has this short name.")) from error
    software.end_users.set(end_users)
    audit.record("software.registered", by=by, subject=software, now=now, sow=sow_reference)
    return software


@transaction.atomic
def register_defect(*, software: Software, number: str, title: str, by: User, now: datetime) -> Defect:
    """The defect of this number, recorded now if it is new (C21, C36).

    Raises: NotAllowed, AppliesToAnother if the number is another software's."""
    _who(by, Permission.RELEASE_DRAFT, _("You may not record defects."))
    defect, is_new = Defect.objects.get_or_create(
        number=number.strip(),
        defaults={"software": software, "title": title.strip() or number.strip(), "created_at": now},
    )
    if defect.software_id != software.pk:
        raise errors.AppliesToAnother(_("This defect is one of another software."))
    if is_new:
        audit.record("defect.registered", by=by, subject=defect, now=now, software=software.name)
    return defect


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
    manifest: Sequence[ManifestLine] = (),
) -> Release:
    """Draft a release of `software` on a line (made if only its name is given and it is new).

    `applies_to`: the releases that it is made for; `contains`: the patches that an update collects (C37).

    Raises: NotAllowed, InvalidVersion, VersionTaken, AppliesToAnother."""
    _who(by, Permission.RELEASE_DRAFT, _("You may not draft releases."))
    _check_own(software, applies_to, contains, fixes, line)
    if isinstance(line, str):
        line = ReleaseLine.objects.get_or_create(software=software, name=line.strip())[0]
    release = Release(
        software=software,
        line=line,
        version=_checked(version.strip()),
        sort_key=sort_key(version.strip()),
        kind=kind,
        fixes=fixes,
        notes=notes,
        has_no_new_features=has_no_new_features,
        created_at=now,
    )
    _save_new(release)
    release.applies_to.set(applies_to)
    release.contains.set(contains)
    ReleaseFile.objects.bulk_create(_files(release, manifest))
    audit.record("release.drafted", by=by, subject=release, now=now, software=software.name, kind=kind)
    return release


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


def _save_new(release: Release) -> None:
    try:
        with transaction.atomic():
            release.save(force_insert=True)
    except IntegrityError as error:
        if errors.violated(error) != "contracts_release_version_is_unique_in_its_software":
            raise
        raise errors.VersionTaken(
            _("%(software)s has a release %(version)s.")
            % {"software": release.software.name, "version": release.version}
        ) from error


def _files(release: Release, manifest: Sequence[ManifestLine]) -> list[ReleaseFile]:
    return [
        ReleaseFile(
            release=release,
            path=line.path,
            size=line.size,
            sha256=line.sha256,
            is_fixed=line.is_fixed,
            stored=line.stored,
        )
        for line in manifest
    ]


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
    _check_publishable(release)
    release.state = ReleaseState.PUBLISHED
    release.published_at, release.published_by = now, acting
    release.save(update_fields=["state", "published_at", "published_by", "has_no_new_features"])
    audit.record("release.published", by=by, subject=release, now=now, software=release.software.name)
    RELEASE_PUBLISHED.call(release=release, by=by, now=now)
    return release


def _check_publishable(release: Release) -> None:
    if release.kind == ReleaseKind.PATCH and release.fixes_id is None:
        raise errors.DefectMissing(_("A patch names the defect that it fixes (C36)."))
    if release.kind == ReleaseKind.UPDATE and not release.has_no_new_features:
        raise errors.NewFeatures(_("Confirm that the update has no new features (C38)."))
    if release.kind in FIXES and not release.applies_to.exists():
        raise errors.AppliesToAnother(_("Say which releases it is made for (C34)."))


@transaction.atomic
def withdraw_release(*, release: Release, reason: str, by: User, now: datetime) -> Release:
    """Take a published release back; it is offered to nobody any more.

    Raises: NotAllowed, WrongState, ReasonNeeded."""
    _who(by, Permission.RELEASE_PUBLISH, _("Only Professional Services withdraw releases."))
    reason = reason.strip()[:400]
    if not reason:
        raise errors.ReasonNeeded(_("Give a reason."))
    release = Release.objects.select_for_update(of=("self",)).get(pk=release.pk)
    if release.state != ReleaseState.PUBLISHED:
        raise errors.WrongState(_("Only a published release can be withdrawn."))
    release.state = ReleaseState.WITHDRAWN
    release.withdrawn_at, release.withdrawn_reason = now, reason
    release.save(update_fields=["state", "withdrawn_at", "withdrawn_reason"])
    audit.record("release.withdrawn", by=by, subject=release, now=now, reason=reason)
    return release
