"""Design document and test plan: versions, two-sided agreement, going out of date (C12-C14)."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts import errors
from contracts.kinds import DocumentKind
from contracts.models import DocumentAgreement, PrerequisiteDocument, Software
from files.models import StoredFile

Side = DocumentAgreement.Side


def _agrees(by: User) -> Membership:
    if by.acting is None or not by.can(Permission.PREREQUISITE_AGREE):
        raise errors.NotAllowed(_("You may not agree design documents and test plans."))
    return by.acting


@transaction.atomic
def add_document(
    *,
    organisation: Organisation,
    software: Software,
    kind: DocumentKind,
    version: str,
    title: str,
    by: User,
    now: datetime,
    stored: StoredFile | None = None,
) -> PrerequisiteDocument:
    """Put a version of a document before both sides (C12). Professional Services write them.

    Raises: NotAllowed, SoftwareNotSupported, VersionTaken."""
    if not _agrees(by).organisation.is_vendor:
        raise errors.NotAllowed(_("Professional Services write these documents."))
    if not software.end_users.filter(pk=organisation.pk).exists():
        raise errors.SoftwareNotSupported(_("The software was not made for this end user."))
    try:
        with transaction.atomic():
            document = PrerequisiteDocument.objects.create(
                organisation=organisation,
                software=software,
                kind=kind,
                version=version,
                title=title,
                stored=stored,
                created_at=now,
            )
    except IntegrityError as error:
        raise errors.VersionTaken(_("This version of the document exists.")) from error
    audit.record(
        "document.added", by=by, subject=document, now=now, organisation=organisation.name, kind=kind
    )
    return document


@transaction.atomic
def agree_document(
    *, document: PrerequisiteDocument, side: DocumentAgreement.Side, by: User, now: datetime
) -> DocumentAgreement:
    """One side agrees to the content of this version, by name and date (C13).

    Raises: NotAllowed for the other side's agreement or another end user's document; WrongState once the version
    is out of date; AlreadyAgreed."""
    acting = _agrees(by)
    document = PrerequisiteDocument.objects.select_for_update(of=("self",)).get(pk=document.pk)
    is_own = acting.organisation_id == document.organisation_id
    if not (acting.organisation.is_vendor if side == Side.VENDOR else is_own):
        raise errors.NotAllowed(_("Each side agrees for itself."))
    if document.out_of_date_at:
        raise errors.WrongState(_("This version is out of date."))
    try:
        with transaction.atomic():
            agreement = DocumentAgreement.objects.create(
                document=document, side=side, agreed_by=acting, agreed_at=now
            )
    except IntegrityError as error:
        raise errors.AlreadyAgreed(_("This side has agreed to this version.")) from error
    audit.record("document.agreed", by=by, subject=document, now=now, side=side)
    return agreement


@transaction.atomic
def mark_out_of_date(*, document: PrerequisiteDocument, by: User, now: datetime) -> PrerequisiteDocument:
    """The document no longer describes the software; it counts as missing for the next contract (C14).

    Raises: NotAllowed, WrongState."""
    if not _agrees(by).organisation.is_vendor:
        raise errors.NotAllowed(_("Professional Services write these documents."))
    marked = PrerequisiteDocument.objects.filter(pk=document.pk, out_of_date_at__isnull=True)
    if not marked.update(out_of_date_at=now):
        raise errors.WrongState(_("This version is out of date."))
    document.refresh_from_db()
    audit.record("document.out_of_date", by=by, subject=document, now=now)
    return document
