"""Design document and test plan: versions, two-sided agreement, and the work when one is lacking (C12-C14)."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts import errors
from contracts.kinds import ContractState, DocumentKind, WorkState
from contracts.models import (
    DocumentAgreement,
    DocumentTask,
    PrerequisiteDocument,
    ServiceContract,
    Software,
)
from contracts.prerequisites import is_pair, missing
from files.actions import Sent, take_in
from files.models import StoredFile

Side = DocumentAgreement.Side


def _agrees(by: User) -> Membership:
    if by.acting is None or not by.can(Permission.PREREQUISITE_AGREE):
        raise errors.NotAllowed(_("You may not agree design documents and test plans."))
    return by.acting


def _writes(by: User) -> Membership:
    acting = _agrees(by)
    if not acting.organisation.is_vendor:
        raise errors.NotAllowed(_("Professional Services write these documents."))
    return acting


def _lock_documents(organisation_id: int, software_id: int) -> None:
    """So that a task is never opened for a document that is agreed to at the same moment, nor left open by it."""
    documents = PrerequisiteDocument.objects.filter(organisation_id=organisation_id, software_id=software_id)
    list(documents.select_for_update(of=("self",)).order_by("pk").values_list("pk"))


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
    sent: Sent = (),
) -> PrerequisiteDocument:
    """Put a version of a document before both sides (C12). Professional Services write them.

    `sent`: the file as a form has it, instead of one that is stored already.

    Raises: NotAllowed, SoftwareNotSupported, VersionTaken, FileRefused."""
    _writes(by)
    if not is_pair(organisation, software):
        raise errors.SoftwareNotSupported(_("The software was not made for this end user."))
    others = PrerequisiteDocument.objects.filter(organisation=organisation, software=software, kind=kind)
    if others.filter(version=version).exists():  # before any byte is kept
        raise errors.VersionTaken(_("This version of the document exists."))
    if sent:
        (stored,) = take_in(sent=sent, by=by, now=now)
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

    With the second side's agreement the document tasks that waited for it are done (C14).

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
    if document.agreements.count() == len(Side):
        _finish_tasks(document, acting, now)
    return agreement


def _finish_tasks(document: PrerequisiteDocument, acting: Membership, now: datetime) -> None:
    waiting = DocumentTask.objects.open().filter(
        organisation_id=document.organisation_id, software_id=document.software_id, kind=document.kind
    )
    waiting.update(state=WorkState.DONE, document=document, closed_by=acting, closed_at=now)


@transaction.atomic
def drop_document_tasks(*, contract: ServiceContract, by: User, now: datetime) -> None:
    """The contract that the work stood in front of is not wanted any more: refused."""
    assert by.acting is not None
    note = _("The contract is not waiting for approval any more.")
    contract.document_tasks.open().update(
        state=WorkState.CANCELLED, closing_note=note, closed_by=by.acting, closed_at=now
    )


@transaction.atomic
def mark_out_of_date(*, document: PrerequisiteDocument, by: User, now: datetime) -> PrerequisiteDocument:
    """The document no longer describes the software; it counts as missing for the next contract (C14).

    A contract that waits for approval gets its document task at once.

    Raises: NotAllowed, WrongState."""
    _writes(by)
    _lock_documents(document.organisation_id, document.software_id)
    marked = PrerequisiteDocument.objects.filter(pk=document.pk, out_of_date_at__isnull=True)
    if not marked.update(out_of_date_at=now):
        raise errors.WrongState(_("This version is out of date."))
    document.refresh_from_db()
    audit.record("document.out_of_date", by=by, subject=document, now=now)
    waiting = ServiceContract.objects.filter(
        end_user_id=document.organisation_id, software_id=document.software_id, state=ContractState.WAITING
    )
    for contract in waiting.select_related("end_user", "software").order_by("pk"):
        open_document_tasks(contract=contract, by=by, now=now)
    return document


@transaction.atomic
def open_document_tasks(*, contract: ServiceContract, by: User, now: datetime) -> None:
    """Put chargeable work in front of the approval of a waiting contract, for each document that is lacking (C14).

    Follow-up of CONTRACT_REGISTERED. A document is lacking when there is none, or none that both sides agreed to
    and that is up to date. Called again it opens nothing twice. `by` registered the contract, or found the document
    out of date: no right is asked for."""
    assert by.acting is not None
    if contract.state != ContractState.WAITING:
        return
    _lock_documents(contract.end_user_id, contract.software_id)
    known = set(contract.document_tasks.open().values_list("kind", flat=True))
    tasks = [
        DocumentTask.objects.create(
            organisation_id=contract.end_user_id,
            software_id=contract.software_id,
            contract=contract,
            kind=kind,
            opened_by=by.acting,
            opened_at=now,
        )
        for kind in missing(contract.end_user, contract.software)
        if kind not in known
    ]
    for task in tasks:
        audit.record("document_task.opened", by=by, subject=contract.number, now=now, kind=task.kind)


def check_no_document_task(contract: ServiceContract) -> None:
    """Approval waits until the work is done or cancelled (C14). Raises: PrerequisitesMissing, naming the documents."""
    kinds = list(contract.document_tasks.open().order_by("kind").values_list("kind", flat=True))
    if kinds:
        raise errors.PrerequisitesMissing(
            _(
                "A document task is still open (C14): %(kinds)s. It is done with an agreed version, or is cancelled."
            )
            % {"kinds": ", ".join(str(DocumentKind(kind).label) for kind in kinds)},
            kinds,
        )


def _works(by: User) -> Membership:
    """Whoever does the work or decides about the contract that waits for it."""
    acting = by.acting
    is_allowed = by.can(Permission.PREREQUISITE_AGREE) or by.can(Permission.CONTRACT_APPROVE)
    if acting is None or not acting.organisation.is_vendor or not is_allowed:
        raise errors.NotAllowed(_("Professional Services and CSC administrators look after document tasks."))
    return acting


def _open_task(task: DocumentTask) -> DocumentTask:
    task = DocumentTask.objects.select_for_update(of=("self",)).get(pk=task.pk)
    if task.state != WorkState.OPEN:
        raise errors.WrongState(_("The document task is not open any more."))
    return task


@transaction.atomic
def price_document_task(*, task: DocumentTask, price: str, by: User, now: datetime) -> DocumentTask:
    """Say what the work costs, as agreed with the customer: amount and currency in words (C14).

    Raises: NotAllowed, WrongState."""
    _works(by)
    task = _open_task(task)
    old, task.price = task.price, price.strip()[:80]
    task.save(update_fields=["price"])
    detail = {"kind": task.kind, "from": old, "to": task.price}
    audit.record("document_task.priced", by=by, subject=task.contract.number, now=now, **detail)
    return task


@transaction.atomic
def cancel_document_task(*, task: DocumentTask, reason: str, by: User, now: datetime) -> DocumentTask:
    """The work is not needed: done otherwise, or opened for nothing. The documents stay asked for (C12).

    Raises: NotAllowed, WrongState, ReasonNeeded."""
    acting = _works(by)
    if not reason.strip():
        raise errors.ReasonNeeded(_("Give a reason."))
    task = _open_task(task)
    task.state, task.closing_note = WorkState.CANCELLED, reason.strip()[:400]
    task.closed_by, task.closed_at = acting, now
    task.save(update_fields=["state", "closing_note", "closed_by", "closed_at"])
    detail = {"kind": task.kind, "reason": task.closing_note}
    audit.record("document_task.cancelled", by=by, subject=task.contract.number, now=now, **detail)
    return task
