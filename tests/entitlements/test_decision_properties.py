"""May they? What holds for any rows whatever."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from hypothesis import event, given
from hypothesis import strategies as st

from contracts.kinds import ContractState, ReleaseKind
from entitlements.decision import decide, replay
from entitlements.facts import (
    BREAK_FIX,
    CASE,
    DOWNLOAD,
    EXCEPTION,
    NOTICE,
    PREVIEW,
    SUBJECTS,
    AcceptedRelease,
    ContractFacts,
    Drift,
    ExceptionFacts,
    Facts,
    Request,
    TargetFacts,
)
from entitlements.reasons import MAY_BE_SET_ASIDE, Code
from entitlements.rules import RULES
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

FIRST_SUBJECTS: Final = {BREAK_FIX, "upgrade_or_enhancement", "third_party_component", "outside_documents"}
APPROVED: Final = (ContractState.APPROVED, ContractState.TERMINATED)
TARGETS: Final = tuple(
    TargetFacts(
        priority=priority,
        first_response_minutes=minutes,
        first_response_clock="24x7",
        update_minutes=240,
        update_clock="business",
    )
    for priority, minutes in (("P1", 60), ("P2", 60), ("P3", 480), ("P4", 1440))
)
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
def some_exception(draw: st.DrawFn) -> ExceptionFacts:
    starts = draw(instants)
    return ExceptionFacts(
        id=draw(st.integers(1, 9)),
        software_id=draw(st.sampled_from([PATHKEEPER, OTHER])),
        codes=tuple(draw(st.sets(st.sampled_from(list(Code)), min_size=1))),
        starts_at=starts,
        ends_at=starts + timedelta(days=draw(st.integers(1, 900))),
        release_id=draw(st.none() | st.just("release 21.4R3-S5")),
    )


@st.composite
def worlds(draw: st.DrawFn) -> Facts:
    zone = draw(st.sampled_from([LOS_ANGELES, SEOUL, KATHMANDU]))
    return facts(
        zone=zone,
        contracts=tuple(draw(some_contract(number, zone)) for number in range(draw(st.integers(1, 4)))),
        accepted=tuple(draw(st.lists(some_acceptance(), min_size=1, max_size=5))),
        drifts=tuple(draw(st.lists(some_drift(), max_size=2))) if draw(seldom) else (),
        exceptions=tuple(draw(st.lists(some_exception(), max_size=3))) if draw(seldom) else (),
        targets=draw(st.sampled_from([(), TARGETS])),
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
        draw(st.sampled_from([CASE, DOWNLOAD, NOTICE, PREVIEW, EXCEPTION])),
        subject=draw(st.sampled_from(sorted(SUBJECTS))) if draw(seldom) else BREAK_FIX,
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
    end, number = max(covering, default=(None, None))
    if decision.granted and decision.set_aside:  # what rests on an exception ends with it at the latest
        assert decision.covered_until is not None
        assert end is not None
        assert request.at < decision.covered_until <= end
        assert decision.contract_number == number
    elif decision.granted or not known.exceptions:
        assert (decision.covered_until, decision.contract_number) == (end, number)


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
        exceptions=shuffled(known.exceptions),
        targets=shuffled(known.targets),
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


@given(questions(), st.sampled_from(sorted(RULES)))
def test_a_decision_replays_from_its_record_as_json(question: tuple[Facts, Request], version: int) -> None:
    known, request = question
    if version == 1 and (request.purpose == EXCEPTION or request.subject not in FIRST_SUBJECTS):
        return  # version 1 was never asked that
    decision = decide(known, request, rule_version=version)
    frozen = json.loads(json.dumps([known.as_record(), request.as_record(), decision.as_record()]))
    again = replay(frozen[0], frozen[1], rule_version=frozen[2]["rule_version"])
    assert again.as_record() == frozen[2] == decision.as_record()
    assert again.explain() == decision.explain()


@given(questions())
def test_an_exception_sets_aside_what_it_names_and_may_and_nothing_else(
    question: tuple[Facts, Request],
) -> None:
    known, request = question
    plain = decide(replace(known, exceptions=()), request)
    decision = decide(known, request)
    if not {Code.CONSULTING_DELIVERABLE} & {reason.code for reason in plain.reasons}:
        assert {r.code for r in decision.reasons} == {r.code for r in plain.reasons} - {
            one.code for one in decision.set_aside
        }
    assert {one.code for one in decision.set_aside} <= MAY_BE_SET_ASIDE
    if plain.granted:
        assert decision.as_record() == plain.as_record()
