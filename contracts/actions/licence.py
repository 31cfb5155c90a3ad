"""An end user accepts the licence that governs what is delivered to it, before the first download (C5)."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from accounts.roles import OrganisationKind
from contracts import errors
from contracts.kinds import GoverningKind
from contracts.models import GoverningDocument, LicenceAcceptance


@transaction.atomic
def accept_licence(*, licence: GoverningDocument, by: User, now: datetime) -> LicenceAcceptance:
    """Anybody of an end user accepts a licence, in this version, for the whole organisation (C5).

    Contacts, technical contacts and account managers alike: whoever may download may accept. Accepting again
    changes nothing and gives the first acceptance back. A support agreement (EUSA) is no licence: contracts name it.

    Raises: NotAllowed for staff and partners, NotAcceptable before its first day in the end user's zone."""
    acting = by.acting
    if acting is None or acting.organisation.kind != OrganisationKind.END_USER or not acting.roles:
        raise errors.NotAllowed(_("Only the end user itself accepts a licence."))
    today = now.astimezone(ZoneInfo(acting.organisation.time_zone)).date()
    if licence.kind == GoverningKind.EUSA or licence.in_force_from > today:
        raise errors.NotAcceptable(_("This is not a licence in force."))
    acceptance, is_new = LicenceAcceptance.objects.get_or_create(
        organisation=acting.organisation,
        licence=licence,
        defaults={"accepted_by": acting, "accepted_at": now},
    )
    if is_new:
        audit.record("licence.accepted", by=by, subject=licence, now=now, version=licence.version)
    return acceptance
