"""A large world for measuring: organisations, people, contracts, and as many cases as asked, the same every time.

People and papers are made by the models; cases, entries and their decisions go in by COPY. Texts come from a small
vocabulary with words of known frequency, so that the benchmark can ask for a word in one case, in a third of all
cases, and so on. A fifth of the text is Korean, three cases in ten are open, five entries stand on a case.
"""

import csv
import io
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Model

from accounts.models import Membership, Organisation, Site, User
from accounts.roles import OrganisationKind, Role
from bench.words import COMMON, ERROR_CODE, HOST, KOREAN_PHRASE, KOREAN_WORD, ONE_CASE, PHRASE
from cases.models import Case, CaseEvent, Cycle, Rung
from contracts.kinds import Channel, ContractState, ReleaseKind, ReleaseState
from contracts.models import Acceptance, Release, ReleaseLine, ServiceContract, Software
from contracts.terms import instants
from contracts.versions import sort_key
from entitlements.models import DecisionRecord, Policy
from notifications.models import DutyLevel, DutyPerson

ORGANISATIONS: Final = 2000
SOFTWARE: Final = 20
SEED: Final = 20261122
BATCH: Final = 5000
ENTRIES: Final = 5
LONG_CASE: Final = 50

_NOUNS: Final = (
    "replica", "standby", "controller", "journal", "collector", "exporter", "template", "neighbour", "prefix",
    "interface", "tunnel", "label", "route reflector", "timer", "core file", "licence daemon", "snapshot", "queue",
    "commit", "rollback", "subscriber", "port block", "inventory", "probe", "alarm", "fan tray", "upgrade window",
)  # fmt: skip
_VERBS: Final = (
    "restarts", "drops packets", "reports a mismatch", "stays down", "grows without bound", "loses its state",
    "is slow after midnight", "refuses the login", "writes zero bytes", "flaps", "times out", "leaks memory",
)  # fmt: skip
_PLACES: Final = (
    "Seoul",
    "Oslo",
    "San Jose",
    "Busan",
    "Bergen",
    "Denver",
    "the lab",
    "rack 14",
    "the north ring",
)
_KOREAN: Final = (
    "컨트롤러가", "재시작", "이후", "세션을", "잃었습니다", "로그를", "첨부했습니다", "확인",
    "부탁드립니다", "경로", "보호",
    "전환이", "늦어집니다", "설정", "변경은", "없었습니다", "장비를", "교체한", "뒤에도", "같은", "현상이",
    "나타납니다",
)  # fmt: skip
_OPEN: Final = (
    "new",
    "dispatched",
    "in_progress",
    "customer_pending",
    "fix_pending",
    "monitoring",
    "resolution_proposed",
)
_VERSIONS: Final = tuple(f"21.4R{major}-S{minor}" for major in (1, 2, 3) for minor in (1, 2, 3, 4, 5))


@dataclass
class People:
    """The rows that a case points to, by organisation."""

    sites: list[int] = field(default_factory=list)
    contacts: list[list[int]] = field(default_factory=list)
    contracts: list[dict[int, int]] = field(default_factory=list)
    organisations: list[int] = field(default_factory=list)
    software: list[int] = field(default_factory=list)
    releases: dict[int, list[int]] = field(default_factory=dict)
    engineers: list[int] = field(default_factory=list)
    # by contract, the frozen answer of a decision that rests on it
    answers: dict[int, str] = field(default_factory=dict)
    policy: int = 0


def build(*, cases: int, now: datetime, say: Callable[[str], None] = lambda text: None) -> None:
    """Fill an empty, migrated database with `cases` cases as of `now` (UTC), in one transaction.

    Raises: ValueError if the database has organisations."""
    if Organisation.objects.exists():
        raise ValueError("The database has organisations; the large world wants an empty one.")
    chance = random.Random(SEED)  # noqa: S311 - the same world every time
    with transaction.atomic():
        people = _people(now)
        say(f"{len(people.organisations)} organisations with people, software and contracts")
        _copy(DecisionRecord, _decisions(cases, people, now))
        _copy(Case, _cases(cases, people, now, chance))
        say(f"{cases} cases")
        _copy(CaseEvent, _entries(cases, people, now, chance))
        _copy(Cycle, _cycles(cases, people, now))
        _copy(Rung, _rungs(cases, now))
        say(f"{cases * ENTRIES} timeline entries and more")
        for model in (DecisionRecord, Case, CaseEvent, Cycle, Rung):
            _reset_sequence(model)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def _people(now: datetime) -> People:
    long_ago = now - timedelta(days=1400)
    vendor = Organisation.objects.create(
        name="Support centre",
        slug="support-centre",
        kind=OrganisationKind.VENDOR,
        country="US",
        created_at=long_ago,
    )
    ends = Organisation.objects.bulk_create(
        Organisation(
            name=f"Operator {at:04}",
            slug=f"org-{at:04}",
            kind=OrganisationKind.END_USER,
            address=f"{at} Harbour Road",
            country=("US", "KR", "NO", "JP", "DE")[at % 5],
            time_zone=_ZONES[at % 5],
            created_at=long_ago,
        )
        for at in range(ORGANISATIONS)
    )
    found = People(organisations=[row.pk for row in ends], policy=Policy.objects.in_force_at(now).pk)
    found.engineers = _members(
        vendor, "engineer", 40, [Role.ENGINEER], since=long_ago, domain="bench.example"
    )
    (admin,) = _members(vendor, "admin", 1, [Role.CSC_ADMIN], since=long_ago, domain="bench.example")
    for level in range(1, 5):
        managers = _members(
            vendor, f"level-{level}", 2, [Role.DUTY_MANAGER], since=long_ago, domain="bench.example"
        )
        rank, _is_new = DutyLevel.objects.get_or_create(level=level, defaults={"name": f"Level {level}"})
        DutyPerson.objects.bulk_create(DutyPerson(level=rank, membership_id=pk) for pk in managers)
    for row in ends:
        roles = [Role.CONTACT, Role.TECHNICAL_CONTACT]
        found.contacts.append(
            _members(row, "contact", 3, roles, since=long_ago, domain=f"{row.slug}.example")
        )
    found.sites = [
        site.pk
        for site in Site.objects.bulk_create(
            Site(organisation=row, name="Core site", country=row.country, time_zone=row.time_zone)
            for row in ends
        )
    ]
    _products(found, ends, admin, found.engineers[0], now)
    return found


_ZONES: Final = ("America/Los_Angeles", "Asia/Seoul", "Europe/Oslo", "Asia/Tokyo", "Europe/Berlin")


def _members(
    organisation: Organisation, name: str, count: int, roles: Sequence[Role], *, since: datetime, domain: str
) -> list[int]:
    users = User.objects.bulk_create(
        User(
            email=f"{name}-{at}@{domain}",
            name=f"{name.title()} {at} of {organisation.name}",
            password="!",  # noqa: S106 - matches no password
            created_at=since,
        )
        for at in range(count)
    )
    members = Membership.objects.bulk_create(
        Membership(
            user=user, organisation=organisation, roles=[role.value for role in roles], started_at=since
        )
        for user in users
    )
    return [member.pk for member in members]


def _products(found: People, ends: Sequence[Organisation], admin: int, author: int, now: datetime) -> None:
    """The software with its line and releases, and who has what of it."""
    products = Software.objects.bulk_create(
        Software(
            name=f"Product {at:02}",
            slug=f"product-{at:02}",
            sow_reference=f"SOW-{at:04}",
            deliverable="Controller",
            created_at=now,
        )
        for at in range(SOFTWARE)
    )
    found.software = [row.pk for row in products]
    lines: dict[int, int] = {}
    for row in products:
        line = ReleaseLine.objects.create(software=row, name="21.4")
        lines[row.pk] = line.pk
        releases = Release.objects.bulk_create(
            Release(
                software=row,
                line=line,
                version=version,
                sort_key=sort_key(version),
                kind=ReleaseKind.RELEASE,
                state=ReleaseState.PUBLISHED,
                published_at=now - timedelta(days=1300),
                published_by_id=author,
                created_at=now,
            )
            for version in _VERSIONS
        )
        found.releases[row.pk] = [release.pk for release in releases]
    _papers(found, ends, admin, author, lines=lines, now=now)


def _papers(
    found: People,
    ends: Sequence[Organisation],
    admin: int,
    author: int,
    *,
    lines: dict[int, int],
    now: datetime,
) -> None:
    """Two products for each organisation, with a contract and an acceptance each."""
    made_for = Software.end_users.through
    links: list[Any] = []
    contracts: list[ServiceContract] = []
    acceptances: list[Acceptance] = []
    start, end = date(now.year - 2, 1, 1), date(now.year + 3, 1, 1)
    for at, end_user in enumerate(ends):
        starts_at, ends_at = instants(start, end, ZoneInfo(end_user.time_zone))
        for software in (found.software[(at + step) % SOFTWARE] for step in (0, 7)):
            links.append(made_for(software_id=software, organisation_id=end_user.pk))
            contracts.append(
                ServiceContract(
                    number=f"CS-{start.year}-{len(contracts) + 1:04}",
                    end_user=end_user,
                    software_id=software,
                    channel=Channel.DIRECT,
                    starts_on=start,
                    ends_on=end,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    zone=end_user.time_zone,
                    state=ContractState.APPROVED,
                    has_agreed_documents=True,
                    registered_by_id=author,
                    registered_at=starts_at,
                    decided_by_id=admin,
                    decided_at=starts_at,
                )
            )
            acceptances.append(
                Acceptance(
                    organisation=end_user,
                    software_id=software,
                    line_id=lines[software],
                    release_id=found.releases[software][-1],
                    accepted_at=starts_at,
                    accepted_by_id=found.contacts[at][0],
                )
            )
    made_for._default_manager.bulk_create(links)
    found.contracts = [{} for _row in ends]
    for number, contract in enumerate(ServiceContract.objects.bulk_create(contracts)):
        found.contracts[number // 2][contract.software_id] = contract.pk
        found.answers[contract.pk] = _answer(contract)
    Acceptance.objects.bulk_create(acceptances)


def _answer(contract: ServiceContract) -> str:
    answer = {
        "rule_version": 1,
        "granted": True,
        "contract": contract.pk,
        "contract_number": contract.number,
        "covered_until_on": contract.last_covered_day.isoformat(),
        "covered_until": contract.ends_at.isoformat() if contract.ends_at else None,
        "accepted_release": None,
        "accepted_at": None,
        "reasons": [],
    }
    return json.dumps(answer)


@dataclass(frozen=True)
class Place:
    """What of a case follows from its place in the row of cases."""

    organisation: int
    software: int
    opened_at: datetime
    is_open: bool


def _place(at: int, cases: int, people: People, now: datetime) -> Place:
    # a few operators have many cases, most have some; the first has one in seven, so that its lists fill pages
    share = ((at * 7919) % 999983) / 999983
    organisation = 0 if at % 7 == 3 else int(ORGANISATIONS * share * share)
    own = sorted(people.contracts[organisation])
    age = timedelta(days=1000) * ((cases - at) / cases)
    return Place(organisation, own[at % len(own)], now - age, (at * 31) % 10 < 3)


def _decisions(cases: int, people: People, now: datetime) -> Iterator[dict[str, Any]]:
    for at in range(cases):
        place = _place(at, cases, people, now)
        contract = people.contracts[place.organisation][place.software]
        yield {
            "id": at + 1,
            "organisation_id": people.organisations[place.organisation],
            "software_id": place.software,
            "release_id": people.releases[place.software][-1],
            "contract_id": contract,
            "purpose": "case",
            "asked_by_id": people.contacts[place.organisation][0],
            "at": place.opened_at,
            "is_granted": True,
            "rule_version": 1,
            "facts": "{}",
            "request": "{}",
            "answer": people.answers[contract],
        }


def _words(at: int, cases: int, chance: random.Random) -> str:
    """One paragraph. A third has COMMON, one in 2,000 PHRASE and ERROR_CODE, a fifth is Korean, one has ONE_CASE."""
    if at % 5 == 4:
        text = " ".join(chance.choices(_KOREAN, k=28))
        text += f" {KOREAN_WORD} 알림" if at % 50 == 4 else ""
        text += f". {KOREAN_PHRASE}했습니다" if at % 5000 == 4 else ""
    else:
        text = " ".join(
            f"The {chance.choice(_NOUNS)} in {chance.choice(_PLACES)} {chance.choice(_VERBS)}."
            for _ in range(8)
        )
    if at % 3 == 0:
        text += f" The {COMMON} table was reset."
    if at % 2000 == 11:
        text += f" Node {HOST} {PHRASE}; see {ERROR_CODE}."
    if at % 200 == 7:
        text += f" Seen on {_VERSIONS[at // 200 % len(_VERSIONS)]}, core-rtr-{at % 40:02}.osl, PR{1_700_000 + at}."
    if at == cases // 2:
        text += f" The word is {ONE_CASE}."
    return text


def _cases(cases: int, people: People, now: datetime, chance: random.Random) -> Iterator[dict[str, Any]]:
    for at in range(cases):
        place = _place(at, cases, people, now)
        contact = people.contacts[place.organisation][at % 3]
        state = _OPEN[at % len(_OPEN)] if place.is_open else "closed"
        updated = min(now, place.opened_at + timedelta(hours=at % 2000))
        waits = state == "customer_pending"
        proposed = state == "resolution_proposed"
        deadline = None if waits or not place.is_open else now + timedelta(minutes=(at * 37) % 9000 - 600)
        opened = place.opened_at
        yield {
            "id": at + 1,
            "number": f"{opened:%Y-%m%d}-{at + 1:04}",
            "organisation_id": people.organisations[place.organisation],
            "site_id": people.sites[place.organisation],
            "software_id": place.software,
            "release_id": people.releases[place.software][-1],
            "contract_id": people.contracts[place.organisation][place.software],
            "decision_id": at + 1,
            "policy_id": people.policy,
            "synopsis": f"{chance.choice(_NOUNS).capitalize()} {chance.choice(_VERBS)} in {chance.choice(_PLACES)}",
            "description": _words(at, cases, chance),
            "activity": "",
            "access": "",
            "customer_reference": f"OP-{at:07}" if at % 2 else "",
            "environment": "production",
            "channel": "web",
            "follow_up": "full_mail",
            "priority": ("P1", "P2", "P2", "P3", "P3", "P3", "P3", "P4", "P4", "P4")[at * 13 % 10],
            "state": state,
            "pending_reason": "Log files" if waits else "",
            "is_restricted": "f",
            "opened_by_id": contact,
            "contact_id": contact,
            "owner_id": None
            if state in ("new", "dispatched")
            else people.engineers[at % len(people.engineers)],
            "opened_at": opened,
            "updated_at": updated,
            "backup_confirmed_at": opened,
            "backup_confirmed_by_id": contact,
            "first_response_due_at": opened + timedelta(hours=8),
            "first_responded_at": None if state == "new" else opened + timedelta(hours=1),
            "update_due_at": deadline,
            "next_deadline_at": deadline,
            "pending_since": updated if waits else None,
            "restored_at": None if place.is_open else updated,
            "resolution": "Restarted." if proposed or not place.is_open else "",
            "cause": "",
            "proposed_at": updated if proposed else None,
            "closed_at": None if place.is_open else updated,
            "version": 1,
        }


def entries_of(at: int) -> int:
    """How many entries the case has: five, but every thousandth has fifty, and others so much less."""
    return LONG_CASE if at % 1000 == 7 else ENTRIES


def _entries(cases: int, people: People, now: datetime, chance: random.Random) -> Iterator[dict[str, Any]]:
    pk = 0
    for at in range(cases):
        place = _place(at, cases, people, now)
        staff = people.engineers[at % len(people.engineers)]
        contact = people.contacts[place.organisation][at % 3]
        for step in range(entries_of(at)):
            pk += 1
            is_note = step % 5 == 3
            kind = "opened" if step == 0 else "note" if is_note else "reply"
            body = "" if step == 0 else _words(at * 7 + step, -1, chance)
            if is_note and at % 700 == 3:
                body += " Internal: escalate to the foundry team."
            yield {
                "id": pk,
                "case_id": at + 1,
                "kind": kind,
                "at": min(now, place.opened_at + timedelta(hours=step * 3)),
                "by_id": contact if step % 2 == 0 else staff,
                "is_internal": "t" if is_note else "f",
                "body": body,
                "detail": "{}",
            }


def _cycles(cases: int, people: People, now: datetime) -> Iterator[dict[str, Any]]:
    for at in range(cases):
        place = _place(at, cases, people, now)
        yield {
            "id": at + 1,
            "case_id": at + 1,
            "number": 1,
            "priority": "P3",
            "policy_id": people.policy,
            "started_at": place.opened_at,
            "started_by": "opened",
            "ended_at": None if place.is_open else now,
            "lowered_at": None,
        }


def _rungs(cases: int, now: datetime) -> Iterator[dict[str, Any]]:
    """One rung a case; of open cases it lies ahead, so that nothing is due."""
    for at in range(cases):
        is_open = (at * 31) % 10 < 3
        yield {
            "id": at + 1,
            "cycle_id": at + 1,
            "level": 1,
            "clock": "24x7",
            "due_at": now + timedelta(days=2 + at % 300),
            "early_at": None,
            "acknowledge_minutes": None,
            "state": "pending" if is_open else "cancelled",
            "fired_at": None,
            "fired_early": "f",
            "acknowledged_at": None,
            "acknowledged_by_id": None,
            "reason": "",
        }


def _copy(model: type[Model], rows: Iterator[dict[str, Any]]) -> None:
    """COPY the rows in batches: memory stays flat, whatever their number."""
    table = connection.ops.quote_name(model._meta.db_table)
    while batch := list(islice(rows, BATCH)):
        names = list(batch[0])
        text = io.StringIO()
        writer = csv.writer(text)
        for row in batch:
            writer.writerow(["\\N" if row[name] is None else row[name] for name in names])
        text.seek(0)
        columns = ", ".join(map(connection.ops.quote_name, names))
        with connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN (FORMAT csv, NULL '\\N')", text)


def _reset_sequence(model: type[Model]) -> None:
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence(%s, 'id'), (SELECT coalesce(max(id), 1) FROM {table}))",
            [table],
        )
