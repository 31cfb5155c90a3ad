"""Drift that a member of staff claims with evidence, and ends with a reason (C43, C72)."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts import errors
from contracts.models import Drift, Release
from files.models import StoredFile

INSTANT = timedelta(microseconds=1)
OVERLAP = "contracts_drift_periods_of_a_line_never_overlap"


def _staff(by: User) -> Membership:
    if by.acting is None or not by.can(Permission.RELEASE_INSTRUCT):
        raise errors.NotAllowed(_("Only JTAC and Professional Services decide about drift."))
    return by.acting


@transaction.atomic
def record_drift(
    *,
    organisation: Organisation,
    release: Release,
    since: datetime,
    evidence: str,
    by: User,
    now: datetime,
    evidence_file: StoredFile | None = None,
) -> Drift:
    """Claim that an end user changed, or tried to change, an accepted release since an instant (C72).

    The claim is the named person's; it rests on evidence, is shown to the end user, and lasts until a clean check of
    the line or a decision with a reason.

    Raises: NotAllowed, EvidenceNeeded, NotAcceptable if they never accepted it, DriftOverlaps for the future, and where
    one is recorded for part of that time."""
    acting = _staff(by)
    if not evidence.strip():
        raise errors.EvidenceNeeded(_("Say what shows it."))
    if since > now:
        raise errors.DriftOverlaps(_("It cannot begin in the future."))
    Organisation.objects.select_for_update(of=("self",), no_key=True).get(pk=organisation.pk)
    if not release.acceptances.filter(organisation=organisation).exists():
        raise errors.NotAcceptable(_("They have not accepted this release."))
    try:
        with transaction.atomic():
            drift = Drift.objects.create(
                organisation=organisation,
                software_id=release.software_id,
                line_id=release.line_id,
                release=release,
                since=since,
                evidence=evidence.strip(),
                evidence_file=evidence_file,
                recorded_by=acting,
                recorded_at=now,
            )
    except IntegrityError as error:
        if errors.violated(error) != OVERLAP:
            raise
        raise errors.DriftOverlaps(_("A drift of this line is recorded for part of that time.")) from error
    audit.record("drift.recorded", by=by, subject=drift, now=now, since=since.isoformat())
    return drift


@transaction.atomic
def end_drift(*, drift: Drift, reason: str, by: User, now: datetime) -> Drift:
    """Decide that the accepted code runs again, or that the claim was wrong, and say why.

    Raises: NotAllowed, ReasonNeeded, WrongState."""
    acting = _staff(by)
    reason = reason.strip()[:400]
    if not reason:
        raise errors.ReasonNeeded(_("Give a reason."))
    drift = Drift.objects.locked(drift.pk)
    if drift.ended_at is not None:
        raise errors.WrongState(_("This drift has ended already."))
    drift.ended_at, drift.ended_by, drift.ended_reason = max(now, drift.since + INSTANT), acting, reason
    drift.save(update_fields=["ended_at", "ended_by", "ended_reason"])
    audit.record("drift.ended", by=by, subject=drift, now=now, reason=reason)
    return drift
