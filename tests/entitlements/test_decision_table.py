"""The decision table: every boundary just before, at and just after it, in three time zones, over clock changes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from contracts.kinds import ContractState, ReleaseKind
from entitlements.decision import decide
from entitlements.facts import CASE, DOWNLOAD, Drift, ExceptionFacts, ExportControlRow, Facts, Request
from entitlements.reasons import Code
from tests.entitlements.rows import MOMENT, PATHKEEPER, accepted, ask, contract, facts, release

ZONES: Final = ("Asia/Seoul", "America/Los_Angeles", "Europe/Oslo")
# first and first uncovered day, over the days on which clocks change in Oslo and in Los Angeles
TERMS: Final = (
    (date(2025, 10, 26), date(2026, 10, 25)),
    (date(2025, 10, 27), date(2026, 10, 26)),
    (date(2025, 11, 1), date(2026, 11, 1)),
    (date(2025, 11, 2), date(2026, 11, 2)),
    (date(2026, 3, 8), date(2027, 3, 29)),
    (date(2026, 3, 29), date(2027, 3, 28)),
    (date(2024, 2, 29), date(2025, 2, 28)),
)
# midnight of these days as the tables of the zones give it: hours ahead of UTC on that day
MIDNIGHT: Final = {
    ("Europe/Oslo", date(2026, 10, 25)): 2,
    ("Europe/Oslo", date(2026, 10, 26)): 1,
    ("America/Los_Angeles", date(2026, 11, 1)): -7,
    ("America/Los_Angeles", date(2026, 11, 2)): -8,
    ("Asia/Seoul", date(2026, 11, 1)): 9,
}
OLD: Final = datetime(2023, 1, 1, tzinfo=UTC)
Row = tuple[str, Facts, Request, Code | None]


def midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)


def around(edge: datetime, *codes: Code | None) -> Iterator[tuple[str, datetime, Code | None]]:
    """Just before, at and just after an instant, with the code that each is refused for."""
    moments = (("before", edge - MOMENT), ("at", edge), ("after", edge + MOMENT))
    for (name, at), code in zip(moments, codes, strict=True):
        yield name, at, code


def terms() -> Iterator[Row]:
    for zone in ZONES:
        for starts_on, ends_on in TERMS:
            row = contract(zone=ZoneInfo(zone), starts_on=starts_on, ends_on=ends_on)
            known = facts(
                zone=ZoneInfo(zone),
                contracts=(row,),
                accepted=(accepted(accepted_at=OLD),),
                export_control=(),
            )
            for name, at, code in around(midnight(starts_on, zone), Code.NOT_STARTED, None, None):
                yield f"start {starts_on} {zone} {name}", known, ask(at=at), code
            for name, at, code in around(midnight(ends_on, zone), None, Code.ENDED, Code.ENDED):
                yield f"end {ends_on} {zone} {name}", known, ask(at=at), code


def turns() -> Iterator[Row]:
    """What turns at an instant of its own: termination, acceptance, withdrawal, drift, exceptions, export control."""
    for zone in ZONES:
        # half past two on the night on which Oslo's clocks go back, the second time
        edge = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
        base = facts(
            zone=ZoneInfo(zone),
            contracts=(contract(zone=ZoneInfo(zone), ends_on=date(2027, 11, 1)),),
            export_control=(),
        )
        for what, known, request, codes in _turns(base, edge, ZoneInfo(zone)):
            for name, at, code in around(edge, *codes):
                yield f"{what} {zone} {name}", known, replace(request, at=at), code
        day = datetime(2026, 10, 25, tzinfo=UTC)
        starts = replace(
            base, export_control=(ExportControlRow(country="NO", group="E", from_on=day.date()),)
        )
        ends = replace(
            base,
            export_control=(
                ExportControlRow(country="NO", group="E", from_on=date(2020, 1, 1), until_on=day.date()),
            ),
        )
        control = Code.EXPORT_CONTROL
        for name, at, code in around(day, None, control, control):
            yield f"export control begins {zone} {name}", starts, ask(site_country="NO", at=at), code
        for name, at, code in around(day, control, None, None):
            yield f"export control ends {zone} {name}", ends, ask(person_country="NO", at=at), code


def _turns(base: Facts, edge: datetime, zone: ZoneInfo) -> Iterator[tuple[str, Facts, Request, Any]]:
    terminated = contract(
        zone=zone, state=ContractState.TERMINATED, ends_on=date(2027, 11, 1), terminated_at=edge
    )
    later = accepted("21.4R3-S6", accepted_at=edge)
    gone = accepted(withdrawn_at=edge)
    drift = Drift(software_id=PATHKEEPER, since=edge, line="21.4R3")
    since_long = replace(drift, since=OLD)
    lets_pass = ExceptionFacts(
        id=5, software_id=PATHKEEPER, codes=("drift",), starts_at=edge, ends_at=edge + timedelta(days=9)
    )
    ends = replace(lets_pass, starts_at=OLD, ends_at=edge)
    patch = release("21.4R3-S5.1", ReleaseKind.PATCH)
    no, drifted = Code.RELEASE_NOT_ACCEPTED, Code.DRIFT
    yield (
        "terminated",
        replace(base, contracts=(terminated,)),
        ask(),
        (None, Code.TERMINATED, Code.TERMINATED),
    )
    yield "accepted", replace(base, accepted=(later,)), ask(release=release("21.4R3-S6")), (no, None, None)
    yield (
        "a superseded release is withdrawn",
        replace(base, accepted=(gone, accepted("21.4R3-S6"))),
        ask(release=release()),
        (None, no, no),
    )
    yield (
        "a patch is withdrawn",
        base,
        ask(DOWNLOAD, release=replace(patch, withdrawn_at=edge)),
        (None, Code.RELEASE_WITHDRAWN, Code.RELEASE_WITHDRAWN),
    )
    yield "drift begins", replace(base, drifts=(drift,)), ask(), (None, drifted, drifted)
    yield (
        "drift ends",
        replace(base, drifts=(replace(since_long, until=edge),)),
        ask(DOWNLOAD),
        (drifted, None, None),
    )
    modified = replace(base, drifts=(since_long,))
    yield "an exception begins", replace(modified, exceptions=(lets_pass,)), ask(), (drifted, None, None)
    yield "an exception ends", replace(modified, exceptions=(ends,)), ask(), (None, drifted, drifted)


TABLE: Final = [*terms(), *turns()]


def test_the_table_has_more_than_sixty_cases() -> None:
    assert len(TABLE) >= 60
    assert len({name for name, *_ in TABLE}) == len(TABLE)


@pytest.mark.parametrize(("known", "request_", "code"), [pytest.param(*row[1:], id=row[0]) for row in TABLE])
@pytest.mark.clause("C25", "C34", "C42", "C43", "C63")
def test_the_answer_turns_at_the_instant_and_at_no_other(
    known: Facts, request_: Request, code: Code | None
) -> None:
    decision = decide(known, request_)
    assert [reason.code for reason in decision.reasons] == ([code] if code else [])
    assert decision.granted is (code is None)


@pytest.mark.parametrize(("where", "hours"), MIDNIGHT.items(), ids=str)
def test_a_day_begins_at_midnight_of_its_own_offset(where: tuple[str, date], hours: int) -> None:
    zone, day = where
    row = contract(zone=ZoneInfo(zone), starts_on=day, ends_on=day.replace(year=2027))
    assert row.starts_at == datetime.combine(day, datetime.min.time(), UTC) - timedelta(hours=hours)


# Exceptions


def passing(*codes: Code, **changes: Any) -> ExceptionFacts:
    row = ExceptionFacts(
        id=7,
        software_id=PATHKEEPER,
        codes=tuple(code.value for code in codes),
        starts_at=datetime(2026, 5, 1, tzinfo=UTC),
        ends_at=datetime(2026, 7, 1, tzinfo=UTC),
    )
    return replace(row, **changes)


@pytest.mark.clause("C43")
def test_what_rests_on_an_exception_is_covered_until_the_exception_ends() -> None:
    known = facts(accepted=(), exceptions=(passing(Code.RELEASE_NOT_ACCEPTED),))
    decision = decide(known, ask())
    assert decision.granted
    assert decision.covered_until == datetime(2026, 7, 1, tzinfo=UTC)
    assert decision.covered_until_on == date(2026, 6, 30)
    assert [(one.code, one.exception) for one in decision.set_aside] == [(Code.RELEASE_NOT_ACCEPTED, "7")]
    assert "Exception 7 sets aside: release not accepted." in decision.explain()


def test_an_exception_that_is_not_needed_changes_nothing() -> None:
    known = facts(exceptions=(passing(Code.DRIFT),))
    assert decide(known, ask()).as_record() == decide(facts(), ask()).as_record()


@pytest.mark.parametrize(
    ("known", "request_", "code"),
    [
        (facts(contracts=()), ask(), Code.NO_CONTRACT),
        (facts(contracts=(contract(ends_on=date(2026, 6, 1)),)), ask(), Code.ENDED),
        (facts(contracts=(contract(state="waiting"),)), ask(), Code.WAITING_FOR_APPROVAL),
        (facts(country="KP"), ask(), Code.EXPORT_CONTROL),
        (facts(person_active=False), ask(), Code.ACCOUNT_INACTIVE),
        (facts(), ask(subject="upgrade_or_enhancement"), Code.UPGRADE_OR_ENHANCEMENT),
        (facts(), ask(subject="warranty"), Code.WARRANTY),
    ],
    ids=lambda value: str(value) if isinstance(value, Code) else "",
)
def test_some_reasons_are_never_set_aside(known: Facts, request_: Request, code: Code) -> None:
    decision = decide(replace(known, exceptions=(passing(*Code),)), request_)
    assert [reason.code for reason in decision.reasons] == [code]


@pytest.mark.parametrize(
    "row",
    [passing(Code.DRIFT, software_id=2), passing(Code.DRIFT, release_id="another")],
    ids=["another software", "another release"],
)
def test_an_exception_for_something_else_does_not_help(row: ExceptionFacts) -> None:
    drifts = (Drift(software_id=PATHKEEPER, since=OLD),)
    decision = decide(facts(drifts=drifts, exceptions=(row,)), ask(CASE))
    assert [reason.code for reason in decision.reasons] == [Code.DRIFT]


@pytest.mark.clause("C73")
def test_a_consulting_deliverable_that_is_let_pass_still_needs_its_contract() -> None:
    known = facts(
        software=tuple(replace(row, kind="consulting") for row in facts().software),
        exceptions=(passing(Code.CONSULTING_DELIVERABLE),),
    )
    assert decide(known, ask()).granted
    without = decide(replace(known, contracts=()), ask())
    assert [reason.code for reason in without.reasons] == [Code.NO_CONTRACT]


def test_version_1_knows_no_exceptions() -> None:
    known = facts(accepted=(), exceptions=(passing(Code.RELEASE_NOT_ACCEPTED),))
    assert not decide(known, ask(), rule_version=1).granted
    assert "set_aside" not in decide(known, ask(), rule_version=1).as_record()


def test_a_granted_case_names_the_targets_of_the_policy_in_force_and_a_download_none() -> None:
    assert decide(facts(), ask(DOWNLOAD)).targets == ()
