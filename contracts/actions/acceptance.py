"""An end user accepts a release: what the service is tied to from then on (C34, C42)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts import errors
from contracts.followups import RELEASE_ACCEPTED
from contracts.kinds import ReleaseState
from contracts.models import Acceptance, Release


@transaction.atomic
def accept_release(*, release: Release, by: User, now: datetime) -> Acceptance:
    """A technical contact accepts a published release; it becomes the current one of its line (C34).

    Releases of the line that were accepted earlier stay covered unless withdrawn.

    Raises: NotAllowed, NotAcceptable, AlreadyAccepted."""
    acting = by.acting
    if acting is None or not by.can(Permission.RELEASE_ACCEPT):
        raise errors.NotAllowed(_("Only a technical contact can accept a release."))
    # one acceptance of an end user at a time
    Organisation.objects.select_for_update(of=("self",), no_key=True).get(pk=acting.organisation_id)
    release = Release.objects.select_for_update(of=("self",), no_key=True).get(pk=release.pk)
    _check(release, acting)
    Acceptance.objects.current().filter(organisation=acting.organisation, line_id=release.line_id).update(
        superseded_at=now
    )
    acceptance = Acceptance.objects.create(
        organisation=acting.organisation,
        software_id=release.software_id,
        line_id=release.line_id,
        release=release,
        accepted_at=now,
        accepted_by=acting,
    )
    audit.record("release.accepted", by=by, subject=release, now=now, software=release.software.name)
    RELEASE_ACCEPTED.call(acceptance=acceptance, by=by, now=now)
    return acceptance


def _check(release: Release, acting: Membership) -> None:
    if release.state != ReleaseState.PUBLISHED:
        raise errors.NotAcceptable(_("Only a published release can be accepted."))
    if not release.software.end_users.filter(pk=acting.organisation_id).exists():
        raise errors.NotAcceptable(_("This software was not made for your organisation."))
    if release.acceptances.filter(organisation_id=acting.organisation_id).exists():
        raise errors.AlreadyAccepted(_("Your organisation has accepted this release."))
