"""A membership ended: its open cases go to somebody who is there (C52)."""

from datetime import datetime

from django.db.models import F, QuerySet

from accounts.models import Membership, User
from accounts.roles import Role
from cases.models import Case, CaseEvent, Watcher
from cases.workflow import CaseState, EventKind


def hand_over(
    *, membership: Membership, successor: Membership | None, by: User | None, now: datetime
) -> None:
    """Follow-up of MEMBERSHIP_ENDED: ownership, contact and watching of this person end at `now`.

    Cases go to `successor`, or at a customer to a technical contact or an account manager; at JTAC to the
    queue. Closed cases change hands too, so that somebody can read those that are restricted."""
    Watcher.objects.filter(membership=membership).delete()
    owned = Case.objects.open().filter(owner=membership)
    _hand_on(membership, successor, what="owner", cases=owned, by=by, now=now)
    heir = successor or _somebody_else(membership)
    if heir is not None:
        looked_after = Case.objects.filter(contact=membership)
        _hand_on(membership, heir, what="contact", cases=looked_after, by=by, now=now)


def _somebody_else(membership: Membership) -> Membership | None:
    colleagues = (
        Membership.objects.active().filter(organisation=membership.organisation_id).exclude(pk=membership.pk)
    )
    for role in (Role.TECHNICAL_CONTACT, Role.ACCOUNT_MANAGER):
        found = colleagues.with_role(role).select_related("user").order_by("pk").first()
        if found is not None:
            return found
    return None


def _hand_on(
    leaver: Membership,
    heir: Membership | None,
    *,
    what: str,
    cases: "QuerySet[Case, Case]",
    by: User | None,
    now: datetime,
) -> None:
    held = list(
        cases.order_by("pk").select_for_update(of=("self",), no_key=True).only("pk", "number", "state")
    )
    if not held:
        return
    detail = {"what": what, "leaver": leaver.user.name, "heir": heir.user.name if heir else ""}
    member = by.acting if by else None
    CaseEvent.objects.bulk_create(
        CaseEvent(case=case, kind=EventKind.OWNER_LEFT, at=now, by=member, detail=detail) for case in held
    )
    rows = Case.objects.filter(pk__in=[case.pk for case in held])
    rows.update(**{what: heir}, version=F("version") + 1)
    rows.exclude(state=CaseState.CLOSED).update(updated_at=now)
