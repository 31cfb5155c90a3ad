"""Who is told of a written notice that a responsibility will not be met, and that it was answered (C62)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, User
from accounts.roles import Permission, Role
from contracts.models import NonFulfilment
from notifications import outbox
from notifications.kinds import Kind, Pair

NON_FULFILMENT = "non_fulfilment"
# whoever plans the work and whoever looks after the contract
TOLD_ROLES = (Role.CSC_ADMIN.value, Role.DUTY_MANAGER.value)


def tell_staff(notice: NonFulfilment, *, now: datetime) -> None:
    """CSC administrators and duty managers, in the transaction that writes the notice."""
    people = Membership.objects.active().filter(roles__overlap=list(TOLD_ROLES))
    _tell(notice, list(people), what="given", author=notice.given_by.user.name, text=notice.text, now=now)


def tell_giver(notice: NonFulfilment, *, by: User, now: datetime) -> None:
    """Whoever gave the notice hears the answer."""
    people = Membership.objects.active().filter(pk=notice.given_by_id)
    _tell(notice, list(people), what="answered", author=by.name, text=notice.answer, now=now)


def _tell(notice: NonFulfilment, people: list[Membership], *, what: str, now: datetime, **more: Any) -> None:
    contract = notice.contract
    outbox.enqueue(
        kind=NON_FULFILMENT,
        recipients=people,
        subject=f"{NON_FULFILMENT}:{notice.pk}",
        path=f"{reverse('contract_detail', args=[contract.number])}#notices",
        context={
            "what": what,
            "contract": contract.number,
            "organisation": contract.end_user.name,
            "software": contract.software.name,
            "responsibility": notice.responsibility,
            "is_certain": notice.is_certain,
            **more,
        },
        dedupe=f"{NON_FULFILMENT}:{notice.pk}:{what}",
        now=now,
    )


def may_be_told(pairs: Sequence[Pair]) -> set[Pair]:
    """Asked before sending: staff who see every contract, and whoever gave the notice, while a member."""
    givers = dict(
        NonFulfilment.objects.filter(pk__in={_number(subject) for _pk, subject in pairs}).values_list(
            "pk", "given_by"
        )
    )
    members = Membership.objects.active().filter(
        Q(pk__in=[pk for pk, _subject in pairs])
        & (Q(pk__in=givers.values()) | Q(organisation__kind="vendor"))
    )
    staff = {m.pk for m in members if Permission.CONTRACT_VIEW_ALL in m.permissions}
    known = {m.pk for m in members}
    return {
        (pk, subject)
        for pk, subject in pairs
        if _number(subject) in givers and (pk in staff or (pk in known and givers[_number(subject)] == pk))
    }


def _number(subject: str) -> int:
    kind, _colon, number = subject.partition(":")
    return int(number) if kind == NON_FULFILMENT and number.isdigit() else 0


KIND = Kind(
    name=NON_FULFILMENT,
    label=_("A responsibility that will not be met"),
    may_tell=may_be_told,
)
