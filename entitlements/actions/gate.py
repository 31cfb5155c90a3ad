"""The gate in front of every file of a release (C5, C33, C34, C63)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Membership, Organisation, User
from accounts.roles import OrganisationKind
from contracts.models import GoverningDocument, LicenceAcceptance, Release, ReleaseFile, ServiceContract
from entitlements import errors
from entitlements.actions.deciding import keep, site_country_of, with_person
from entitlements.decision import Decision, decide
from entitlements.facts import DOWNLOAD, Facts, Request
from entitlements.gathering import facts_for, release_facts, with_software
from entitlements.models import Download


def grant_download(
    *, release_file: ReleaseFile, by: User, now: datetime, is_fetched: bool = True
) -> Download | None:
    """Let a person of an end user fetch a file, and keep the decision and the download.

    The decision of `now` (UTC), the instant at which the request starts, counts for the whole of the answer: a
    contract that ends while the bytes flow does not cut them. A later request, also one that goes on where a line
    was cut, is decided anew; within `models.DOWNLOAD_LASTS` of the first it is the same download and no new row.
    `is_fetched`: off where only the head is asked for, which is allowed or refused alike, and no download.

    Raises: NotAllowed for staff and partners; LicenceNotAccepted (C5); DownloadRefused, whose record is kept."""
    acting = by.acting
    if acting is None or acting.organisation.kind != OrganisationKind.END_USER:
        raise errors.NotAllowed(_("Files are for the end user itself (C8)."))
    answer, facts = look(release=release_file.release, by=by, acting=acting, at=now)
    if not answer.granted:
        raise errors.DownloadRefused(answer, keep(answer, facts, by=by))
    licence = licence_to_accept(release_file.release, acting.organisation, answer, now)
    if licence is not None:
        raise errors.LicenceNotAccepted(licence)
    if not is_fetched:
        return None
    with transaction.atomic():
        # one request of a person at a time: two parts of one file are one download
        Membership.objects.select_for_update(of=("self",), no_key=True).get(pk=acting.pk)
        begun = Download.objects.same_as(release_file, acting, now).order_by("-at", "-pk").first()
        return begun or Download.objects.create(
            decision=keep(answer, facts, by=by), release_file=release_file, membership=acting, at=now
        )


def look(*, release: Release, by: User, acting: Membership, at: datetime) -> tuple[Decision, Facts]:
    """What a download of this release would get at `at` (UTC). Writes nothing."""
    organisation = acting.organisation
    facts = with_person(facts_for([organisation], at)[organisation.pk], by)
    facts = with_software(facts, release.software)
    request = Request(
        purpose=DOWNLOAD,
        software_id=release.software_id,
        at=at,
        release=release_facts(release, release.applies_to.values_list("pk", flat=True)),
        site_country=site_country_of(organisation, facts),
        person_country=by.country,
    )
    return decide(facts, request), facts


def licence_to_accept(
    release: Release, organisation: Organisation, answer: Decision, now: datetime
) -> GoverningDocument | None:
    """The licence in force that nobody of the end user has accepted yet; None if all is done (C5)."""
    licence = licence_of(release, answer, now)
    if licence is None:
        return None
    is_accepted = LicenceAcceptance.objects.filter(organisation=organisation, licence=licence).exists()
    return None if is_accepted else licence


def licence_of(release: Release, answer: Decision, now: datetime) -> GoverningDocument | None:
    """The release's licence, or the software's, or the contract's, in the version in force on the day (UTC)."""
    named = release.licence or release.software.licence or _of_contract(answer)
    if named is None:
        return None
    versions = GoverningDocument.objects.filter(
        kind=named.kind, title=named.title, in_force_from__lte=now.date()
    )
    return versions.order_by("-in_force_from", "-pk").first() or named


def _of_contract(answer: Decision) -> GoverningDocument | None:
    contract = ServiceContract.objects.select_related("licence").filter(number=answer.contract_number).first()
    return contract.licence if contract else None
