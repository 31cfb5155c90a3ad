"""An end user accepts a release: what the service is tied to from then on (C34, C42)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts import errors
from contracts.followups import RELEASE_ACCEPTED
from contracts.integrity import manifest_digest
from contracts.kinds import AcceptedBy, ReleaseState
from contracts.models import Acceptance, Release


@transaction.atomic
def accept_release(
    *,
    release: Release,
    by: User,
    now: datetime,
    manifest_sha256: str | None = None,
    means: AcceptedBy = AcceptedBy.DECLARATION,
) -> Acceptance:
    """A technical contact accepts a published release, with the files it holds now (C34, C42).

    It becomes the current one of its line unless a newer one is: a line moves forward only, so that accepting an
    older release adds it to what is covered and moves nothing back. Earlier ones stay covered unless withdrawn.
    `manifest_sha256`: the digest that the person was shown and confirmed; None where nobody was shown one.

    Raises: NotAllowed, NotAcceptable, AlreadyAccepted, ManifestChanged."""
    acting = by.acting
    if acting is None or not by.can(Permission.RELEASE_ACCEPT):
        raise errors.NotAllowed(_("Only a technical contact can accept a release."))
    # one acceptance of an end user at a time
    Organisation.objects.select_for_update(of=("self",), no_key=True).get(pk=acting.organisation_id)
    release = Release.objects.select_for_update(of=("self",), no_key=True).get(pk=release.pk)
    _check(release, acting)
    files = list(release.files.values_list("path", "sha256"))
    digest = manifest_digest(files)
    if manifest_sha256 is not None and manifest_sha256 != digest:
        raise errors.ManifestChanged(_("The files are not those that you were shown. Look at them again."))
    acceptance = Acceptance.objects.create(
        organisation=acting.organisation,
        software_id=release.software_id,
        line_id=release.line_id,
        release=release,
        accepted_at=now,
        accepted_by=acting,
        superseded_at=None if _moves_forward(release, acting, now) else now,
        means=means,
        file_count=len(files),
        manifest_sha256=digest,
    )
    audit.record(
        "release.accepted", by=by, subject=release, now=now, software=release.software.name, means=means
    )
    RELEASE_ACCEPTED.call(acceptance=acceptance, by=by, now=now)
    return acceptance


def _moves_forward(release: Release, acting: Membership, now: datetime) -> bool:
    """Supersede the current acceptance of the line, unless it is of a newer release that still stands."""
    mine = Acceptance.objects.current().filter(organisation=acting.organisation, line_id=release.line_id)
    current = mine.select_related("release").first()
    if current is None:
        return True
    stands = current.release.state == ReleaseState.PUBLISHED
    if stands and current.release.sort_key > release.sort_key:
        return False
    mine.update(superseded_at=max(now, current.accepted_at))
    return True


def _check(release: Release, acting: Membership) -> None:
    if release.state != ReleaseState.PUBLISHED:
        raise errors.NotAcceptable(_("Only a published release can be accepted."))
    if not release.software.end_users.filter(pk=acting.organisation_id).exists():
        raise errors.NotAcceptable(_("This software was not made for your organisation."))
    if release.acceptances.filter(organisation_id=acting.organisation_id).exists():
        raise errors.AlreadyAccepted(_("Your organisation has accepted this release."))
