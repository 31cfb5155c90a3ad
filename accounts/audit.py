"""The primitive behind the audit trail: one row, in the transaction of the change it tells of."""

from datetime import datetime
from typing import Any

from accounts.models import AuditEntry, User


def record(
    action: str,
    *,
    by: User | None,
    subject: object,
    now: datetime,
    address: str | None = None,
    **detail: Any,
) -> AuditEntry:
    """Write who did what to whom, at `now` (UTC). `by=None` means the portal itself."""
    acting = by.acting if by else None
    return AuditEntry.objects.create(
        at=now,
        action=action,
        person_id=by.pk if by else None,
        person=by.email if by else "portal",
        organisation_id=acting.organisation_id if acting else None,
        subject=str(subject)[:200],
        detail=detail,
        address=address,
    )
