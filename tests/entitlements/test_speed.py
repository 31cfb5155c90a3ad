"""Facts and decisions of many organisations in one run, against the best SQL that gives the same rows (C23)."""

import gc
import os
from collections.abc import Callable
from time import perf_counter
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation, User
from contracts.models import Release
from entitlements.decision import decide
from entitlements.facts import NOTICE, Request
from entitlements.gathering import facts_for, release_facts
from tests import factories
from tests.entitlements import world_of_many
from tests.factories import NOW

MOST = 3.0
FLOOR = (
    """
    SELECT o.id, o.name, o.country, o.time_zone,
           EXISTS (SELECT 1 FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id
                    WHERE m.organisation_id = o.id AND m.ended_at IS NULL AND u.is_active
                      AND m.roles @> ARRAY['technical_contact']::varchar[]),
           ARRAY(SELECT json_build_object('id', s.id, 'name', s.name, 'kind', s.kind)
                   FROM contracts_software s JOIN contracts_software_end_users e ON e.software_id = s.id
                  WHERE e.organisation_id = o.id),
           ARRAY(SELECT json_build_object('software_id', d.software_id, 'since', d.since, 'until', d.ended_at,
                                           'line', l.name)
                   FROM contracts_drift d JOIN contracts_releaseline l ON l.id = d.line_id
                  WHERE d.organisation_id = o.id),
           ARRAY(SELECT json_build_object('id', x.id, 'codes', x.codes)
                   FROM entitlements_exceptionrequest x WHERE x.organisation_id = o.id AND x.state = 'granted')
      FROM accounts_organisation o WHERE o.id = ANY(%s)
    """,
    """
    SELECT c.end_user_id, s.name, s.kind, c.id, c.number, c.software_id, c.state, c.starts_on, c.ends_on,
           c.starts_at, c.ends_at, c.terminated_at, c.registered_at, c.decided_at,
           c.state NOT IN ('draft', 'waiting') OR 2 = (
               SELECT count(DISTINCT d.kind) FROM contracts_prerequisitedocument d
                WHERE d.organisation_id = c.end_user_id AND d.software_id = c.software_id
                  AND d.out_of_date_at IS NULL
                  AND EXISTS (SELECT 1 FROM contracts_documentagreement a
                               WHERE a.document_id = d.id AND a.side = 'end_user')
                  AND EXISTS (SELECT 1 FROM contracts_documentagreement a
                               WHERE a.document_id = d.id AND a.side = 'vendor'))
      FROM contracts_servicecontract c JOIN contracts_software s ON s.id = c.software_id
     WHERE c.end_user_id = ANY(%s) ORDER BY c.starts_on, c.id
    """,
    """
    SELECT a.organisation_id, s.name, s.kind, a.release_id, a.software_id, l.name, r.version, a.accepted_at,
           u.name, r.withdrawn_at
      FROM contracts_acceptance a
      JOIN contracts_software s ON s.id = a.software_id
      JOIN contracts_releaseline l ON l.id = a.line_id
      JOIN contracts_release r ON r.id = a.release_id
      JOIN accounts_membership m ON m.id = a.accepted_by_id
      JOIN accounts_user u ON u.id = m.user_id
     WHERE a.organisation_id = ANY(%s) ORDER BY a.accepted_at, a.id
    """,
    """
    SELECT (SELECT json_agg(c) FROM accounts_excludedcountry c WHERE c.from_on <= current_date),
           (SELECT json_agg(t) FROM entitlements_policytarget t
             WHERE t.policy_id = (SELECT id FROM entitlements_policy WHERE activated_at <= now()
                                   ORDER BY activated_at DESC, version DESC LIMIT 1))
     WHERE %s::bigint[] IS NOT NULL
    """,
)
"""What nobody can do without: the same rows, straight from the driver, with nothing made of them."""


def floor(organisations: list[Organisation]) -> int:
    ids = [one.pk for one in organisations]
    found = 0
    with connection.cursor() as cursor:
        for statement in FLOOR:
            cursor.execute(statement, [ids])
            found += len(cursor.fetchall())
    return found


def decisions(organisations: list[Organisation], release: Release) -> int:
    made_for = release_facts(release, [release.pk])
    request = Request(purpose=NOTICE, software_id=release.software_id, at=NOW, release=made_for)
    return sum(decide(facts, request).granted for facts in facts_for(organisations, NOW).values())


def ratio_of(ours: Callable[[], Any], bare: Callable[[], Any], rounds: int) -> float:
    """How many times longer ours takes: of each the quickest round, taken in turns, so that both meet the same machine.

    What the test process holds besides is kept from the garbage collector: walking it is none of the work."""
    gc.collect()
    gc.freeze()
    try:
        pairs = [(_seconds(ours), _seconds(bare)) for _ in range(rounds)]
    finally:
        gc.unfreeze()
    return min(pair[0] for pair in pairs) / min(pair[1] for pair in pairs)


def _seconds(run: Callable[[], Any]) -> float:
    start = perf_counter()
    run()
    return perf_counter() - start


@pytest.fixture
def release(paula: User) -> Release:
    release: Release = factories.ReleaseFactory.make(published_by=paula.acting)
    return release


def _measured(count: int, release: Release, staff: User, rounds: int) -> float:
    organisations = world_of_many.make(count, release, staff)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as queries:
        granted = decisions(organisations, release)
    assert len(queries) <= 4
    assert granted == count
    return ratio_of(lambda: decisions(organisations, release), lambda: floor(organisations), rounds)


@pytest.mark.parametrize("count", [1, 2000])
def test_facts_take_four_queries_for_one_organisation_and_for_two_thousand(
    count: int, release: Release, paula: User
) -> None:
    organisations = world_of_many.make(count, release, paula)
    with CaptureQueriesContext(connection) as queries:
        facts = facts_for(organisations, NOW)
    assert len(queries) <= 4
    assert len(facts) == count
    assert sum(len(one.drifts) for one in facts.values()) == -(-count // 10)


@pytest.mark.parametrize("count", [1, 500])
def test_facts_and_decisions_cost_less_than_three_times_their_rows(
    count: int, release: Release, paula: User
) -> None:
    ratio = _measured(count, release, paula, rounds=200 if count == 1 else 40)
    assert ratio < MOST, f"{ratio:.2f} times the floor"


@pytest.mark.deep("facts and decisions of 2,000 organisations cost less than three times their rows")
def test_facts_and_decisions_of_two_thousand_cost_less_than_three_times_their_rows(
    release: Release, paula: User
) -> None:
    ratio = _measured(2000, release, paula, rounds=int(os.environ.get("ROUNDS", "25")))
    assert ratio < MOST, f"{ratio:.2f} times the floor"
