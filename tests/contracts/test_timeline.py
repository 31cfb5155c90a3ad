"""A customer's contracts along the years: bars, gaps, and who may look."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organisation, User
from contracts.kinds import ContractState
from contracts.models import ServiceContract, Software
from contracts.timeline import Gap, gaps_of, ticks, timeline_of
from tests import factories
from tests.conftest import SignIn
from tests.factories import NOW

TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("periods", "gaps"),
    [
        ([], []),
        ([(date(2026, 1, 1), date(2027, 1, 1))], []),
        ([(date(2025, 1, 1), date(2026, 1, 1)), (date(2026, 1, 1), date(2027, 1, 1))], []),
        (
            [(date(2024, 1, 1), date(2025, 1, 1)), (date(2025, 3, 1), date(2027, 1, 1))],
            [Gap(date(2025, 1, 1), date(2025, 3, 1))],
        ),
        # what ended yesterday leaves today uncovered; what ends after today does not
        ([(date(2025, 1, 1), TODAY)], [Gap(TODAY, TODAY + DAY, is_until_today=True)]),
        ([(date(2025, 1, 1), TODAY + DAY)], []),
    ],
)
def test_gaps_lie_between_contracts_and_since_the_last_one(
    periods: list[tuple[date, date]], gaps: list[Gap]
) -> None:
    assert gaps_of(periods, TODAY) == gaps


days = st.dates(date(2020, 1, 1), date(2030, 1, 1))
lengths = st.integers(1, 900)


@given(st.lists(st.tuples(days, lengths), max_size=6), days)
def test_a_day_is_covered_or_in_a_gap_but_never_both(starts: list[tuple[date, int]], day: date) -> None:
    periods = [(start, start + timedelta(days=length)) for start, length in starts]
    is_covered = any(start <= day < end for start, end in periods)
    in_gaps = sum(gap.starts_on <= day < gap.ends_on for gap in gaps_of(periods, TODAY))
    assert in_gaps <= (0 if is_covered else 1)
    if periods and not is_covered and min(start for start, _end in periods) <= day <= TODAY:
        assert in_gaps == 1


def test_marks_are_quarters_of_a_few_years_and_years_of_many() -> None:
    assert ticks(date(2026, 2, 1), date(2026, 11, 1)) == [
        date(2026, 4, 1),
        date(2026, 7, 1),
        date(2026, 10, 1),
    ]
    assert ticks(date(2020, 2, 1), date(2026, 2, 1)) == [date(year, 1, 1) for year in range(2021, 2027)]


@pytest.fixture
def software() -> Software:
    return factories.SoftwareFactory.make(name="EdgeProv")


def _contract(
    end_user: Organisation, software: Software, remy: User, ada: User, **fields: Any
) -> ServiceContract:
    return factories.ContractFactory.make(
        end_user=end_user,
        software=software,
        channel="reseller",
        partner=remy.acting.organisation,
        purchase_order="PO",
        po_end_user_name="x",
        po_end_user_address="y",
        registered_by=remy.acting,
        decided_by=ada.acting,
        **fields,
    )


def test_what_waits_is_hollow_and_what_was_terminated_ends_then(
    nordlys: Organisation, software: Software, remy: User, ada: User
) -> None:
    broken = _contract(
        nordlys,
        software,
        remy,
        ada,
        starts_on=date(2026, 1, 1),
        ends_on=date(2027, 1, 1),
        state=ContractState.TERMINATED,
        terminated_at=NOW - timedelta(days=60),
        termination_reason="Sold.",
    )
    waits = _contract(
        nordlys,
        software,
        remy,
        ada,
        starts_on=date(2027, 2, 1),
        ends_on=date(2028, 2, 1),
        state=ContractState.WAITING,
        renews=broken,
    )
    line = timeline_of(ServiceContract.objects.select_related("software", "renews"), TODAY)
    (lane,) = line.lanes
    assert [(bar.contract, bar.ends_on, bar.is_open) for bar in lane.bars] == [
        (broken, date(2026, 9, 24), False),
        (waits, date(2028, 2, 1), True),
    ]
    assert lane.gaps == [Gap(date(2026, 9, 24), TODAY + DAY, is_until_today=True)]
    assert line.starts_on < date(2026, 1, 1) < date(2028, 2, 1) < line.ends_on


def test_each_person_is_drawn_its_own_contracts(
    nordlys: Organisation,
    software: Software,
    remy: User,
    ada: User,
    ingrid: User,
    mallory: User,
    minsu: User,
    sign_in: SignIn,
    django_assert_max_num_queries: Any,
) -> None:
    own = _contract(nordlys, software, remy, ada)
    direct = factories.ContractFactory.make(
        end_user=nordlys, registered_by=remy.acting, decided_by=ada.acting
    )
    path = "/contracts/timeline/?end_user=nordlys-fiber"
    expected = {remy: {own.number}, ingrid: {own.number, direct.number}, ada: {own.number, direct.number}}
    for who, numbers in expected.items():
        client = sign_in(who)
        client.get(path)
        with django_assert_max_num_queries(8):
            page = client.get(path).content.decode()
        assert {n for n in (own.number, direct.number) if n in page} == numbers, who
    for who in (mallory, minsu):
        page = sign_in(who).get(path).content.decode()
        assert own.number not in page
        assert "Nordlys" not in page
    assert sign_in(ada).get("/contracts/timeline/?end_user=%00").status_code == 200
