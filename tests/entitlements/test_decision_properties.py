"""May they? What holds for any rows whatever."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from hypothesis import event, given
from hypothesis import strategies as st

from contracts.kinds import ContractState, ReleaseKind
from entitlements.decision import decide
from entitlements.facts import (
    CASE,
    DOWNLOAD,
    NOTICE,
    PREVIEW,
    AcceptedRelease,
    ContractFacts,
    Drift,
    Facts,
    Request,
)
from entitlements.reasons import Code
from tests.entitlements.rows import (
    KATHMANDU,
    LOS_ANGELES,
    MOMENT,
    OTHER,
    PATHKEEPER,
    SEOUL,
    accepted,
    ask,
    contract,
    facts,
    release,
)

APPROVED: Final = (ContractState.APPROVED, ContractState.TERMINATED)
VERSIONS: Final = ("21.4R3-S4", "21.4R3-S5", "21.4R3-S5.1", "21.4R3-S10")

instants = st.integers(0, 3 * 365 * 86_400).map(
    lambda second: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
)
# most rows stand in nobody's way, so that decisions of both kinds come out
seldom = st.sampled_from([False, False, False, False, False, False, False, True])


@st.composite
def some_contract(draw: st.DrawFn, number: int, zone: ZoneInfo) -> ContractFacts:
    start = draw(st.dates(date(2025, 1, 1), date(2027, 6, 1)))
    return contract(
        f"CS-2025-{number:04}",
        zone,
        state=draw(st.sampled_from([*ContractState.values, *[ContractState.APPROVED.value] * 8])),
        software_id=OTHER if draw(seldom) else PATHKEEPER,
        starts_on=start,
        ends_on=start + timedelta(days=draw(st.integers(1, 800))),
        terminated_at=draw(instants) if draw(seldom) else None,
        registered_at=draw(st.none() | instants),
        prerequisites_met=not draw(seldom),
    )


@st.composite
def some_acceptance(draw: st.DrawFn) -> AcceptedRelease:
    return accepted(
        draw(st.sampled_from(VERSIONS)),
        accepted_at=draw(instants) if draw(seldom) else datetime(2024, 6, 1, tzinfo=UTC),
        withdrawn_at=draw(instants) if draw(seldom) else None,
        line="21.4R4" if draw(seldom) else "21.4R3",
    )


@st.composite
def some_drift(draw: st.DrawFn) -> Drift:
    since = draw(instants)
    return Drift(
        software_id=draw(st.sampled_from([PATHKEEPER, OTHER])),
        since=since,
        until=draw(st.none() | st.just(since + timedelta(days=30))),
        line=draw(st.sampled_from(["", "21.4R3"])),
    )


@st.composite
def worlds(draw: st.DrawFn) -> Facts:
    zone = draw(st.sampled_from([LOS_ANGELES, SEOUL, KATHMANDU]))
    return facts(
        zone=zone,
        contracts=tuple(draw(some_contract(number, zone)) for number in range(draw(st.integers(1, 4)))),
        accepted=tuple(draw(st.lists(some_acceptance(), min_size=1, max_size=5))),
        drifts=tuple(draw(st.lists(some_drift(), max_size=2))) if draw(seldom) else (),
        has_technical_contact=not draw(seldom),
        country="KP" if draw(seldom) else "US",
    )


@st.composite
def questions(draw: st.DrawFn) -> tuple[Facts, Request]:
    """A world, and a question at the edge of one of its contracts or at any time."""
    known = draw(worlds())
    row = draw(st.sampled_from(known.contracts))
    edges = [edge for edge in (row.starts_at, row.ends_at, row.terminated_at) if edge]
    near = [edge + step * MOMENT for edge in edges for step in (-1, 0, 1)]
    inside = [row.starts_at + (row.ends_at - row.starts_at) / 3] * 8 if row.starts_at and row.ends_at else []
    version = draw(st.sampled_from(VERSIONS if draw(seldom) else [row.version for row in known.accepted]))
    kind = draw(st.sampled_from(ReleaseKind.values))
    return known, ask(
        draw(st.sampled_from([CASE, DOWNLOAD, NOTICE, PREVIEW])),
        at=draw(st.sampled_from([*near, *inside]) if near and not draw(seldom) else instants),
        release=None if draw(seldom) else release(version, kind),
    )


@given(questions())
def test_nothing_is_granted_outside_the_period_of_an_approved_contract(
    question: tuple[Facts, Request],
) -> None:
    known, request = question
    decision = decide(known, request)
    event("granted" if decision.granted else "refused")
    assert decision.granted is (not decision.reasons)
    covering = [
        (min(row.ends_at, row.terminated_at or row.ends_at), row.number)
        for row in known.contracts
        if row.software_id == PATHKEEPER and row.state in APPROVED and row.starts_at and row.ends_at
        if row.state == ContractState.APPROVED or row.terminated_at
        if row.starts_at <= request.at < min(row.ends_at, row.terminated_at or row.ends_at)
    ]
    assert decision.granted <= bool(covering)
    assert (decision.covered_until, decision.contract_number) == max(covering, default=(None, None))


@given(questions(), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(question: tuple[Facts, Request], chance: Any) -> None:
    known, request = question

    def shuffled(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(chance.sample(rows, len(rows)))

    mixed = replace(
        known,
        contracts=shuffled(known.contracts),
        accepted=shuffled(known.accepted),
        drifts=shuffled(known.drifts),
        export_control=shuffled(known.export_control),
        software=shuffled(known.software),
    )
    assert decide(mixed, request).as_record() == decide(known, request).as_record()


@given(questions())
def test_each_reason_is_told_once_and_in_the_order_of_use(question: tuple[Facts, Request]) -> None:
    codes = [reason.code for reason in decide(*question).reasons]
    assert codes == sorted(codes, key=list(Code).index)
    assert len(codes) == len(set(codes))


@given(questions())
def test_an_inactive_person_and_a_country_under_export_control_are_never_served(
    question: tuple[Facts, Request],
) -> None:
    known, request = question
    assert not decide(replace(known, person_active=False), request).granted
    assert not decide(known, replace(request, site_country="KP")).granted
