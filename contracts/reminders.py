"""Before a contract ends, whoever can renew it is reminded: 90, 60, 30 and 7 days before, as rows say (C17)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from accounts.roles import Role
from contracts.kinds import ContractState
from contracts.models import ReminderRule, ServiceContract
from notifications import outbox
from notifications.kinds import Kind, Pair, Queue
from notifications.models import Message

CONTRACT_REMINDER: Final = "contract_reminder"
EVERY: Final = timedelta(hours=1)
SUBJECT: Final = "contract:"
# no zone is more than a day ahead of UTC or behind it
ZONES: Final = timedelta(days=1)


@dataclass(frozen=True)
class Reminder:
    """One contract that is to be brought to mind now, under the rule that applies, and to whom."""

    contract: ServiceContract
    days_before: int
    days_left: int
    people: tuple[Membership, ...]

    @property
    def dedupe(self) -> str:
        return f"{CONTRACT_REMINDER}:{self.contract.number}:{self.days_before}"


def days_left(contract: ServiceContract, now: datetime) -> int:
    """How many days the contract still covers, today included, by the calendar of the end user's zone."""
    return (contract.ends_on - now.astimezone(ZoneInfo(contract.zone)).date()).days


def rule_for(left: int, rules: Collection[int]) -> int | None:
    """The smallest rule that reaches so many days before the end, so that a late start sends no backlog."""
    return min((rule for rule in rules if left <= rule), default=None) if left > 0 else None


def remind(now: datetime) -> dict[str, int]:
    """Tell about every contract whose next reminder is due at `now` (UTC); a job of every hour.

    Once per contract, rule and person: who becomes an account manager meanwhile is told too. Gives back how many
    messages it wrote."""
    due = list(_due(now))
    known = _known(due)
    told = 0
    for reminder in due:
        missing = [p for p in reminder.people if f"{reminder.dedupe}:{p.pk}" not in known]
        if missing:
            told += _tell(reminder, missing, now)
    return {"reminded": told}


def _due(now: datetime) -> Iterator[Reminder]:
    rules = set(ReminderRule.objects.values_list("days_before", flat=True))
    if not rules:
        return
    horizon = now.date() + timedelta(days=max(rules)) + ZONES
    contracts = list(
        ending(ServiceContract.objects.filter(ends_at__gt=now, ends_on__lte=horizon))
        .select_related("end_user", "software", "partner")
        .order_by("ends_on", "pk")
    )
    people = _people(contracts)
    for contract in contracts:
        left = days_left(contract, now)
        rule = rule_for(left, rules)
        if rule is not None:
            near = people[contract.end_user_id] + people[contract.partner_id]
            yield Reminder(contract, rule, left, tuple(p for p in near if _concerns(p, contract)))


def ending(contracts: QuerySet[ServiceContract]) -> QuerySet[ServiceContract]:
    """Approved ones that nobody has renewed: no successor waits or is approved, linked or beginning where it ends."""
    successors = ServiceContract.objects.filter(
        Q(renews=OuterRef("pk"))
        | Q(end_user=OuterRef("end_user"), software=OuterRef("software"), starts_on=OuterRef("ends_on")),
        state__in=[ContractState.WAITING, ContractState.APPROVED],
    )
    return contracts.filter(~Exists(successors), state=ContractState.APPROVED)


def _people(contracts: Sequence[ServiceContract]) -> dict[int | None, list[Membership]]:
    """Account managers of the end users and the partners' own people, by organisation."""
    end_users = {contract.end_user_id for contract in contracts}
    partners = {contract.partner_id for contract in contracts if contract.partner_id}
    people = Membership.objects.active().filter(
        Q(organisation__in=end_users, roles__contains=[Role.ACCOUNT_MANAGER.value])
        | Q(organisation__in=partners, roles__contains=[Role.PARTNER.value])
    )
    found: dict[int | None, list[Membership]] = defaultdict(list)
    for person in people.order_by("pk"):
        found[person.organisation_id].append(person)
    return found


def _concerns(person: Membership, contract: ServiceContract) -> bool:
    if person.organisation_id == contract.end_user_id:
        return Role.ACCOUNT_MANAGER.value in person.roles
    return person.organisation_id == contract.partner_id and Role.PARTNER.value in person.roles


def _known(due: Iterable[Reminder]) -> set[str]:
    keys = [f"{reminder.dedupe}:{person.pk}" for reminder in due for person in reminder.people]
    return set(Message.objects.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True))


@transaction.atomic
def _tell(reminder: Reminder, people: Sequence[Membership], now: datetime) -> int:
    contract = reminder.contract
    written = outbox.enqueue(
        kind=CONTRACT_REMINDER,
        recipients=people,
        subject=f"{SUBJECT}{contract.number}",
        path=f"/contracts/{contract.number}/",  # written out: the engine loads no views for it
        context={
            "contract": contract.number,
            "organisation": contract.end_user.name,
            "software": contract.software.name,
            "days_left": reminder.days_left,
            "last_day_on": contract.last_covered_day,
        },
        dedupe=reminder.dedupe,
        now=now,
    )
    return len(written)


def may_be_told(pairs: Sequence[Pair]) -> set[Pair]:
    """Asked before sending: still somebody who can renew it, and nobody has."""
    numbers = {subject.removeprefix(SUBJECT) for _pk, subject in pairs if subject.startswith(SUBJECT)}
    contracts = {
        f"{SUBJECT}{c.number}": c for c in ending(ServiceContract.objects.filter(number__in=numbers))
    }
    people = {p.pk: p for p in Membership.objects.active().filter(pk__in={pk for pk, _subject in pairs})}
    return {
        (pk, subject)
        for pk, subject in pairs
        if pk in people and subject in contracts and _concerns(people[pk], contracts[subject])
    }


KIND = Kind(
    name=CONTRACT_REMINDER,
    label=_("A contract ends soon"),
    queue=Queue.NOTICES,
    urgency=8,
    may_tell=may_be_told,
)
