"""What a contract is worth at a moment: the same in Python and in SQL."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import User
from contracts import actions
from contracts.kinds import Condition, ContractState
from contracts.models import ServiceContract
from tests import factories
from tests.conftest import World
from tests.factories import NOW

MOMENT = timedelta(microseconds=1)


@pytest.mark.clause("C25")
def test_a_period_is_half_open(world: World) -> None:
    contract = world.contract
    assert contract.starts_at
    assert contract.ends_at
    for at, condition in (
        (contract.starts_at - MOMENT, Condition.NOT_STARTED),
        (contract.starts_at, Condition.IN_FORCE),
        (contract.ends_at - MOMENT, Condition.IN_FORCE),
        (contract.ends_at, Condition.ENDED),
    ):
        assert contract.condition_at(at) == condition
        assert contract.is_in_force_at(at) is (condition == Condition.IN_FORCE)


def test_every_condition_finds_exactly_the_contracts_that_are_in_it(
    world: World, ada: User, paula: User
) -> None:
    for number, state in enumerate(("waiting", "refused", "approved", "terminated", "draft")):
        software = factories.SoftwareFactory.make()
        factories.ContractFactory.make(
            end_user=world.contract.end_user,
            software=software,
            state=ContractState(state),
            starts_on=date(2027, 1, 1 + number),
            ends_on=date(2028, 6, 1),
            refusal_reason="Unsigned." if state == "refused" else "",
            terminated_at=NOW if state == "terminated" else None,
            termination_reason="Sold." if state == "terminated" else "",
            registered_by=paula.acting,
            decided_by=ada.acting,
        )
    contracts = list(ServiceContract.objects.all())
    for condition in Condition:
        found = set(ServiceContract.objects.in_condition(condition, NOW))
        assert found == {contract for contract in contracts if contract.condition_at(NOW) == condition}
        assert found, condition


def test_a_terminated_contract_covers_until_that_day_where_the_end_user_is(world: World, ada: User) -> None:
    contract = world.contract
    assert contract.covered_before == contract.ends_on
    contract.zone = "Asia/Seoul"
    contract.save()
    late = datetime(2026, 12, 1, 23, 30, tzinfo=UTC)  # 2 December in Seoul
    ended = actions.terminate_contract(contract=contract, reason="Sold.", by=ada, now=late)
    assert ended.covered_before == date(2026, 12, 3)


@pytest.mark.parametrize("who", ["alice", "remy", "sam", "root", "ended"])
def test_rows_are_visible_to_whom_they_concern(
    who: str, world: World, request: pytest.FixtureRequest
) -> None:
    expected = {"alice": {world.contract}, "remy": set(), "sam": {world.contract, world.lapsed}}
    seen = set(ServiceContract.objects.visible_to(request.getfixturevalue(who)))
    assert seen == expected.get(who, set())
