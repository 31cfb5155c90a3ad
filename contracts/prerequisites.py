"""Design document and test plan: which version counts, who agreed to it, and what is missing (C12-C14)."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Prefetch, Q

from accounts.models import Organisation
from contracts.kinds import DocumentKind
from contracts.models import DocumentAgreement, PrerequisiteDocument, ServiceContract, Software

Side = DocumentAgreement.Side


@dataclass(frozen=True, kw_only=True)
class Prerequisite:
    """One of the two documents. `document` is the version that counts: the newest agreed one that is not out of
    date, or else the newest there is."""

    kind: DocumentKind
    document: PrerequisiteDocument | None = None
    by_end_user: DocumentAgreement | None = None
    by_vendor: DocumentAgreement | None = None

    @property
    def out_of_date_at(self) -> datetime | None:
        return self.document.out_of_date_at if self.document else None

    @property
    def is_met(self) -> bool:
        return bool(self.document and self.by_end_user and self.by_vendor and not self.out_of_date_at)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One of the two documents with its whole history, the newest version first, and the version that counts."""

    kind: DocumentKind
    counts: Prerequisite
    versions: tuple[Prerequisite, ...] = ()


def slots_of(organisation: Organisation, software: Software) -> tuple[Slot, ...]:
    """Both documents of an end user's software with every version, the design document first. Two queries."""
    agreements = DocumentAgreement.objects.select_related("agreed_by__user", "agreed_by__organisation")
    documents = list(
        PrerequisiteDocument.objects.filter(organisation=organisation, software=software)
        .select_related("stored")
        .prefetch_related(Prefetch("agreements", queryset=agreements))
        .order_by("created_at", "pk")
    )
    return tuple(_slot(kind, [d for d in documents if d.kind == kind]) for kind in DocumentKind)


def prerequisites_of(organisation: Organisation, software: Software) -> tuple[Prerequisite, ...]:
    """Of both documents of an end user's software the version that counts, the design document first."""
    return tuple(slot.counts for slot in slots_of(organisation, software))


def _slot(kind: DocumentKind, documents: list[PrerequisiteDocument]) -> Slot:
    versions = [_version(kind, document) for document in documents]
    met = [version for version in versions if version.is_met]
    counts = (met or versions or [Prerequisite(kind=kind)])[-1]
    return Slot(kind=kind, counts=counts, versions=tuple(reversed(versions)))


def _version(kind: DocumentKind, document: PrerequisiteDocument) -> Prerequisite:
    sides = {agreement.side: agreement for agreement in document.agreements.all()}
    return Prerequisite(
        kind=kind,
        document=document,
        by_end_user=sides.get(Side.END_USER),
        by_vendor=sides.get(Side.VENDOR),
    )


def missing(organisation: Organisation, software: Software) -> list[DocumentKind]:
    """The documents that stand in the way of a contract (C14: one is enough)."""
    return [p.kind for p in prerequisites_of(organisation, software) if not p.is_met]


def is_pair(organisation: Organisation, software: Software) -> bool:
    """Whether these documents are asked for: the software was made for the end user, or a contract names both."""
    return (
        software.end_users.filter(pk=organisation.pk).exists()
        or ServiceContract.objects.filter(end_user=organisation, software=software).exists()
    )


def are_agreed() -> Q:
    """Condition on contracts: both documents are agreed by both sides and up to date."""
    return _agreed(DocumentKind.DESIGN) & _agreed(DocumentKind.TEST_PLAN)


def _agreed(kind: DocumentKind) -> Q:
    by_side = DocumentAgreement.objects.filter(document=OuterRef("pk"))
    documents = PrerequisiteDocument.objects.filter(
        Exists(by_side.filter(side=Side.END_USER)),
        Exists(by_side.filter(side=Side.VENDOR)),
        organisation=OuterRef("end_user"),
        software=OuterRef("software"),
        kind=kind,
        out_of_date_at__isnull=True,
    )
    return Q(Exists(documents))


def order_differs(contract: ServiceContract) -> list[str]:
    """What the purchase order says otherwise than the end user's record: "name", "address" (C9).

    Case, white space and punctuation do not matter; a contract without a partner has no order to compare."""
    if contract.partner_id is None:
        return []
    pairs = {
        "name": (contract.po_end_user_name, contract.end_user.name),
        "address": (contract.po_end_user_address, contract.end_user.address),
    }
    return [part for part, (ordered, known) in pairs.items() if _letters(ordered) != _letters(known)]


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
