"""Software that Professional Services delivered, and the defects known of it."""

from collections.abc import Collection
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts import errors
from contracts.kinds import SoftwareKind
from contracts.models import Defect, GoverningDocument, Software

# words that stand where a software's short name does in addresses
RESERVED = frozenset({"new"})


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

    Raises: NotAllowed, ShortNameTaken if the short name is in use or a word of the portal's own."""
    _who(by, Permission.RELEASE_PUBLISH, _("Only Professional Services register software."))
    taken = errors.ShortNameTaken(_("Another software has this short name."))
    if slug in RESERVED:
        raise taken
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
        raise taken from error
    software.end_users.set(end_users)
    audit.record("software.registered", by=by, subject=software, now=now, sow=sow_reference, kind=kind)
    return software


@transaction.atomic
def change_software(
    *,
    software: Software,
    name: str,
    sow_reference: str,
    deliverable: str,
    description: str,
    kind: SoftwareKind,
    licence: GoverningDocument | None,
    end_users: Collection[Organisation],
    reason: str,
    by: User,
    now: datetime,
) -> Software:
    """Correct what is recorded of a software. Its kind decides whether anything is owed (C73): changing it says why.

    Whom it was made for can grow, never shrink: contracts and acceptances stand on it.

    Raises: NotAllowed, ReasonNeeded, EndUserKept."""
    _who(by, Permission.RELEASE_PUBLISH, _("Only Professional Services change software."))
    software = Software.objects.select_for_update(of=("self",)).get(pk=software.pk)
    before = software.kind
    if kind != before and not reason.strip():
        raise errors.ReasonNeeded(_("Say why its kind changes: it decides what is owed (C73)."))
    known = set(software.end_users.values_list("pk", flat=True))
    wanted = {organisation.pk for organisation in end_users}
    if known - wanted:
        raise errors.EndUserKept(_("An end user that it was made for cannot be taken away."))
    software.name, software.sow_reference, software.deliverable = name, sow_reference, deliverable
    software.description, software.kind, software.licence = description, kind, licence
    software.save(update_fields=["name", "sow_reference", "deliverable", "description", "kind", "licence"])
    software.end_users.add(*(wanted - known))
    audit.record("software.changed", by=by, subject=software, now=now, added=sorted(wanted - known))
    if kind != before:
        detail = {"from": before, "to": str(kind), "reason": reason.strip()[:400]}
        audit.record("software.kind_changed", by=by, subject=software, now=now, **detail)
    return software


@transaction.atomic
def register_defect(
    *, software: Software, number: str, title: str, by: User, now: datetime, workaround: str = ""
) -> Defect:
    """The defect of this number, recorded now if it is new (C21, C36).

    Raises: NotAllowed, AppliesToAnother if the number is another software's."""
    _who(by, Permission.RELEASE_DRAFT, _("You may not record defects."))
    defect, is_new = Defect.objects.get_or_create(
        number=number.strip(),
        defaults={
            "software": software,
            "title": title.strip() or number.strip(),
            "workaround": workaround,
            "created_at": now,
        },
    )
    if defect.software_id != software.pk:
        raise errors.AppliesToAnother(_("This defect is one of another software."))
    if is_new:
        audit.record("defect.registered", by=by, subject=defect, now=now, software=software.name)
    return defect


@transaction.atomic
def change_defect(*, defect: Defect, title: str, workaround: str, by: User, now: datetime) -> Defect:
    """Correct a defect's title, or write how to work around it until it is fixed (C21).

    Raises: NotAllowed."""
    _who(by, Permission.RELEASE_DRAFT, _("You may not change defects."))
    defect = Defect.objects.select_for_update(of=("self",)).get(pk=defect.pk)
    defect.title, defect.workaround = title, workaround
    defect.save(update_fields=["title", "workaround"])
    audit.record("defect.changed", by=by, subject=defect, now=now)
    return defect
