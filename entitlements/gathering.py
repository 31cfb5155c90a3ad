"""The facts of many organisations at once, for `decision.decide`: four queries, however many they are.

Plain rows, not model instances: a notice asks about thousands of organisations in one transaction."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Case, Exists, OuterRef, QuerySet, TextField, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, JSONObject

from accounts.models import Membership, Organisation
from accounts.roles import Role
from contracts.kinds import ContractState
from contracts.models import Acceptance, Drift, Release, ServiceContract, Software
from contracts.prerequisites import are_agreed
from entitlements import facts as known
from entitlements.facts import (
    AcceptedRelease,
    ContractFacts,
    ExceptionFacts,
    ExportControlRow,
    Facts,
    ReleaseFacts,
    SoftwareFacts,
    TargetFacts,
)
from entitlements.models import ExceptionRequest

_UNDECIDED: Final = (ContractState.DRAFT, ContractState.WAITING)
# What is the same for everybody at a moment: countries under export control, and the targets of the policy in force.
_COMMON: Final = """
SELECT (SELECT json_agg(json_build_object('country', c.country, 'group', c."group", 'from_on', c.from_on,
                                          'until_on', c.to_on, 'source', c.source) ORDER BY c.country, c.id)
          FROM accounts_excludedcountry c
         WHERE c.from_on <= %(day)s AND (c.to_on IS NULL OR c.to_on > %(day)s)),
       (SELECT json_agg(json_build_object('priority', t.priority,
                                          'first_response_minutes', t.first_response_minutes,
                                          'first_response_clock', t.first_response_clock,
                                          'update_minutes', t.update_minutes,
                                          'update_clock', t.update_clock) ORDER BY t.priority)
          FROM entitlements_policytarget t
         WHERE t.policy_id = (SELECT p.id FROM entitlements_policy p WHERE p.activated_at <= %(at)s
                               ORDER BY p.activated_at DESC, p.version DESC LIMIT 1))
"""


def facts_for(organisations: Iterable[Organisation], at: datetime) -> dict[int, Facts]:
    """By organisation id, all that a decision about it at `at` (UTC) looks at. Four queries.

    The documents of an approved contract were agreed when it was approved; of one that waits, as they stand now."""
    pks = [organisation.pk for organisation in organisations]
    if not pks:
        return {}
    software: dict[int, dict[known.Id, SoftwareFacts]] = defaultdict(dict)
    contracts = _contracts(pks, software)
    accepted = _accepted(pks, software)
    control, targets = _common(at)
    return {
        pk: Facts(
            organisation_id=pk,
            organisation=name,
            country=country,
            zone=_zone(zone),
            has_technical_contact=has_contact,
            software=_software(map(_read, rows), software[pk]),
            contracts=tuple(contracts[pk]),
            accepted=tuple(accepted[pk]),
            drifts=tuple(known.restored(known.Drift, json.loads(row)) for row in drifts),
            exceptions=tuple(known.restored(ExceptionFacts, json.loads(row)) for row in exceptions),
            export_control=control,
            targets=targets,
        )
        for pk, name, country, zone, has_contact, rows, drifts, exceptions in _rows(_organisations, pks)
    }


_IDS: Final = [-1]
"""Stands for the ids in a statement."""
_these: Final = RawSQL("SELECT unnest(%s::bigint[])", [_IDS])


def _rows(build: Callable[[], QuerySet[Any, Any]], pks: list[int]) -> list[tuple[Any, ...]]:
    """What the statement says of these ids, straight from the driver."""
    sql, params = _statement(build)
    with connection.cursor() as cursor:
        cursor.execute(sql, [pks if value == _IDS else value for value in params])
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


@cache
def _statement(build: Callable[[], QuerySet[Any, Any]]) -> tuple[str, tuple[Any, ...]]:
    """Made once for the life of the process: for one organisation, making it would cost more than asking it."""
    sql, params = build().query.sql_with_params()
    # the same, in words that save the planner a join
    return sql.replace(f"IN ({_these.sql})", "= ANY(%s::bigint[])"), params


def _text(**columns: str) -> Cast:
    """A row as JSON in a text, which is read here and not by the driver."""
    return Cast(JSONObject(**columns), TextField())


def _organisations() -> QuerySet[Organisation, tuple[Any, ...]]:
    contacts = Membership.objects.active().with_role(Role.TECHNICAL_CONTACT)
    own = OuterRef("pk")
    software = Software.objects.filter(end_users=own).order_by("pk")
    drifts = Drift.objects.filter(organisation=own).order_by("since", "pk")
    exceptions = ExceptionRequest.objects.filter(organisation=own, state="granted").order_by(
        "starts_at", "pk"
    )
    return (
        Organisation.objects.filter(pk__in=_these)
        .annotate(
            has_contact=Exists(contacts.filter(organisation=own)),
            software_rows=ArraySubquery(software.values(row=_text(**_SOFTWARE))),
            drift_rows=ArraySubquery(drifts.values(row=_text(**_DRIFT))),
            exception_rows=ArraySubquery(exceptions.values(row=_text(**_EXCEPTION))),
        )
        .values_list(
            "pk",
            "name",
            "country",
            "time_zone",
            "has_contact",
            "software_rows",
            "drift_rows",
            "exception_rows",
        )
    )


_SOFTWARE: Final = {"id": "pk", "name": "name", "kind": "kind"}
_DRIFT: Final = {"software_id": "software_id", "since": "since", "until": "ended_at", "line": "line__name"}
_EXCEPTION: Final = {
    "id": "pk",
    "software_id": "software_id",
    "release_id": "release_id",
    "codes": "codes",
    "starts_at": "starts_at",
    "ends_at": "ends_at",
    "is_chargeable": "is_chargeable",
}
_zone = cache(ZoneInfo)


@lru_cache(maxsize=4096)
def _made(id: int, name: str, kind: str) -> SoftwareFacts:  # noqa: A002 (the field's name)
    """One row for the thousand organisations that have the same software."""
    return SoftwareFacts(id=id, name=name, kind=kind)


@lru_cache(maxsize=4096)
def _read(row: str) -> SoftwareFacts:
    return _made(**json.loads(row))


def _software(
    delivered: Iterable[SoftwareFacts], more: dict[known.Id, SoftwareFacts]
) -> tuple[SoftwareFacts, ...]:
    return tuple(({row.id: row for row in delivered} | more).values())


def _contract_rows() -> QuerySet[ServiceContract, tuple[Any, ...]]:
    return (
        ServiceContract.objects.filter(end_user__in=_these)
        .annotate(met=Case(When(state__in=_UNDECIDED, then=are_agreed()), default=Value(True)))
        .order_by("starts_on", "pk")
        .values_list(
            "end_user_id", "software__name", "software__kind", "pk", "number", "software_id", "state",
            "starts_on", "ends_on", "starts_at", "ends_at", "terminated_at", "registered_at", "decided_at", "met",
        )
    )  # fmt: skip


def _contracts(
    pks: list[int], software: dict[int, dict[known.Id, SoftwareFacts]]
) -> dict[int, list[ContractFacts]]:
    contracts: dict[int, list[ContractFacts]] = defaultdict(list)
    for end_user, name, kind, pk, number, software_id, state, *term in _rows(_contract_rows, pks):
        starts_on, ends_on, starts_at, ends_at, terminated_at, registered_at, decided_at, met = term
        software[end_user][software_id] = _made(id=software_id, name=name, kind=kind)
        contracts[end_user].append(
            ContractFacts(
                id=pk,
                number=number,
                software_id=software_id,
                state=state,
                starts_on=starts_on,
                ends_on=ends_on,
                starts_at=starts_at,
                ends_at=ends_at,
                terminated_at=terminated_at,
                registered_at=registered_at,
                decided_at=decided_at,
                prerequisites_met=met,
            )
        )
    return contracts


def _accepted_rows() -> QuerySet[Acceptance, tuple[Any, ...]]:
    return (
        Acceptance.objects.filter(organisation__in=_these)
        .order_by("accepted_at", "pk")
        .values_list(
            "organisation_id", "software__name", "software__kind", "release_id", "software_id", "line__name",
            "release__version", "accepted_at", "accepted_by__user__name", "release__withdrawn_at",
        )
    )  # fmt: skip


def _accepted(
    pks: list[int], software: dict[int, dict[known.Id, SoftwareFacts]]
) -> dict[int, list[AcceptedRelease]]:
    accepted: dict[int, list[AcceptedRelease]] = defaultdict(list)
    for organisation, name, kind, release, software_id, line, version, *rest in _rows(_accepted_rows, pks):
        accepted_at, by, withdrawn_at = rest
        software[organisation][software_id] = _made(id=software_id, name=name, kind=kind)
        accepted[organisation].append(
            AcceptedRelease(
                release_id=release,
                software_id=software_id,
                line=line,
                version=version,
                accepted_at=accepted_at,
                accepted_by=by,
                withdrawn_at=withdrawn_at,
            )
        )
    return accepted


def _common(at: datetime) -> tuple[tuple[ExportControlRow, ...], tuple[TargetFacts, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_COMMON, {"at": at, "day": at.astimezone(UTC).date()})
        control, targets = cursor.fetchone()
    return (
        tuple(known.restored(ExportControlRow, row) for row in control or ()),
        tuple(known.restored(TargetFacts, row) for row in targets or ()),
    )


def with_software(facts: Facts, software: Software) -> Facts:
    """The facts, with a software that the organisation has nothing to do with: the answer will say so."""
    if any(row.id == software.pk for row in facts.software):
        return facts
    return replace(facts, software=(*facts.software, software_facts(software)))


def software_facts(software: Software) -> SoftwareFacts:
    return SoftwareFacts(id=software.pk, name=software.name, kind=software.kind)


def release_facts(
    release: Release, applies_to: Iterable[int] = (), components: Iterable[str] = ()
) -> ReleaseFacts:
    """`applies_to`: ids of the releases it was made for; only offers (notices, downloads) ask for them.

    `components`: names of its third-party components, where the question names one (C70)."""
    return ReleaseFacts(
        id=release.pk,
        software_id=release.software_id,
        line=release.line.name,
        version=release.version,
        kind=release.kind,
        applies_to=frozenset(applies_to),
        withdrawn_at=release.withdrawn_at,
        components=tuple(components),
    )
