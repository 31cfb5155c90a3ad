"""A customer compares what is installed with the manifest; what differs is drift, what does not ends it (C42, C43)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts import errors
from contracts.integrity import Comparison, Expected, Sum, compare
from contracts.kinds import FileVerdict, ReleaseState
from contracts.models import Acceptance, Drift, IntegrityCheck, Release

INSTANT = timedelta(microseconds=1)


@transaction.atomic
def check_integrity(
    *, release: Release, sums: Sequence[Sum], by: User, now: datetime, host: str = "", prefix: str = ""
) -> IntegrityCheck:
    """Keep a comparison of `sums` with the manifest of `release`, with a verdict on every file.

    Of an accepted release: a fixed file that is changed or missing opens a drift of the line from now on (or leaves
    an open one standing); no such file ends an open drift. Files edited at the site, and extra ones, are no drift.
    Of a release that is not accepted it is only kept: nothing was agreed yet that could have been changed.

    `prefix`: the folder that was cut off the paths, kept in the audit trail.

    Raises: NotAllowed, NotAcceptable, SumsUnreadable where there is nothing to compare."""
    acting = by.acting
    if acting is None or not by.can(Permission.RELEASE_VERIFY):
        raise errors.NotAllowed(_("Only contacts of the end user verify a release."))
    # one check, acceptance or drift of an end user at a time
    Organisation.objects.select_for_update(of=("self",), no_key=True).get(pk=acting.organisation_id)
    _check(release, acting, sums)
    files = release.files.values_list("path", "sha256", "is_fixed")
    manifest = [Expected(path=path, sha256=sha256, is_fixed=fixed) for path, sha256, fixed in files]
    if not manifest:
        raise errors.SumsUnreadable(_("No files are recorded for this release: nothing to compare with."))
    check = _kept(release, compare(manifest, sums), acting, host, now)
    _move_drift(check, acting, now)
    audit.record("release.verified", by=by, subject=release, now=now, broken=check.broken, folder=prefix)
    return check


def _check(release: Release, acting: Membership, sums: Sequence[Sum]) -> None:
    if release.state == ReleaseState.DRAFT:
        raise errors.NotAcceptable(_("Only a published release can be verified."))
    if not release.software.end_users.filter(pk=acting.organisation_id).exists():
        raise errors.NotAcceptable(_("This software was not made for your organisation."))
    if not sums:
        raise errors.SumsUnreadable(_("Give the output of sha256sum."))


def _kept(
    release: Release, result: Comparison, acting: Membership, host: str, now: datetime
) -> IntegrityCheck:
    return IntegrityCheck.objects.create(
        organisation=acting.organisation,
        software_id=release.software_id,
        release=release,
        host=host.strip()[:120],
        checked_by=acting,
        checked_at=now,
        intact=result.count(FileVerdict.INTACT),
        changed=result.count(FileVerdict.CHANGED),
        missing=result.count(FileVerdict.MISSING),
        extra=result.count(FileVerdict.EXTRA),
        broken=result.broken,
        findings=[
            {
                "path": finding.path,
                "verdict": finding.verdict.value,
                "is_fixed": finding.is_fixed,
                "sha256": finding.sha256,
            }
            for finding in result.findings
        ],
    )


def _move_drift(check: IntegrityCheck, acting: Membership, now: datetime) -> None:
    mine = {"organisation": check.organisation, "release": check.release}
    if not Acceptance.objects.filter(**mine).exists():
        return
    line = check.release.line
    drift = Drift.objects.open().filter(organisation=check.organisation, line=line).first()
    if check.broken and drift is None:
        Drift.objects.create(
            **mine,
            software_id=check.software_id,
            line=line,
            since=now,
            shown_by=check,
            recorded_by=acting,
            recorded_at=now,
        )
    elif not check.broken and drift is not None:
        drift.ended_at, drift.ended_by_check = max(now, drift.since + INSTANT), check
        drift.save(update_fields=["ended_at", "ended_by_check"])
