"""Old records give the same answer by the rules of their day."""

import json
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Organisation, User
from contracts import actions as contract_actions
from entitlements import actions
from entitlements.decision import replay
from entitlements.kinds import Purpose
from tests.conftest import World
from tests.factories import NOW

FROZEN = Path(__file__).with_name("version_1_records.json")
"""Decided by version 1 when there was no other: a granted and a refused record of every kind."""
RECORDS: list[dict[str, Any]] = json.loads(FROZEN.read_text(encoding="utf-8"))


@pytest.mark.parametrize("record", RECORDS, ids=range(len(RECORDS)))
def test_a_record_of_version_1_replays_to_its_answer(record: dict[str, Any]) -> None:
    again = replay(record["facts"], record["request"], rule_version=record["rule_version"])
    assert again.as_record() == record["answer"]


def test_the_frozen_records_hold_answers_of_both_kinds_and_every_reason_of_their_day() -> None:
    assert {record["answer"]["granted"] for record in RECORDS} == {True, False}
    codes = {reason["code"] for record in RECORDS for reason in record["answer"]["reasons"]}
    assert len(codes) == 19


def test_a_rule_version_that_never_was_is_an_error() -> None:
    with pytest.raises(KeyError):
        replay(RECORDS[0]["facts"], RECORDS[0]["request"], rule_version=99)


def test_a_kept_decision_replays_after_everything_has_changed(
    world: World, alice: User, ada: User, acme: Organisation
) -> None:
    answer, record = actions.decide_and_record(
        organisation=acme,
        software=world.software,
        release=world.release,
        site_country="US",
        purpose=Purpose.CASE,
        by=alice,
        now=NOW,
    )
    contract_actions.terminate_contract(contract=world.contract, reason="Sold.", by=ada, now=NOW)
    acme.name = "Acme Networks"
    acme.save()
    record.refresh_from_db()
    again = actions.replay(record)
    assert again.granted
    assert again.as_record() == record.answer == answer.as_record()
    assert [target["priority"] for target in record.answer["targets"]] == ["P1", "P2", "P3", "P4"]
    assert record.rule_version == 2
