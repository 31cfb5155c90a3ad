"""Raising and lowering."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts.models import User
from cases import actions, ladder
from cases.errors import CaseClosed, IllegalPriority, NotAChoice, NotAllowed, ReasonNeeded
from cases.models import Case, CaseEvent, Cycle, Rung
from cases.workflow import EventKind, RungState
from notifications.models import Message
from tests.factories import NOW

pytestmark = pytest.mark.django_db
Open = Callable[..., Case]
HOUR = timedelta(hours=1)


def rungs(cycle: int) -> dict[int, tuple[str, object]]:
    rows = Rung.objects.filter(cycle__number=cycle).order_by("level")
    return {rung.level: (rung.state, rung.due_at) for rung in rows}


@pytest.mark.clause("C22")
@pytest.mark.parametrize("who", ["alice", "anna", "sam"])
def test_a_raise_to_p1_starts_a_ladder_now_and_alerts_l1_again(
    open_case: Open, on_duty: None, lena: User, who: str, request: pytest.FixtureRequest
) -> None:
    case = open_case(priority="P3")
    by = request.getfixturevalue(who)
    case = actions.raise_priority(case=case, to="P1", reason="worse", by=by, now=NOW + HOUR)
    assert case.priority == "P1"
    assert {state for state, _due in rungs(1).values()} == {RungState.SUPERSEDED}
    assert rungs(2)[1] == (RungState.FIRED, NOW + HOUR)
    assert rungs(2)[2] == (RungState.PENDING, NOW + 2 * HOUR)
    alert = Message.objects.get(kind="case_alert")
    assert (alert.recipient, alert.context["cycle"], alert.urgency) == (lena.acting, 2, 0)
    event = CaseEvent.objects.get(kind=EventKind.PRIORITY_RAISED)
    assert event.detail == {"from_priority": "P3", "to_priority": "P1", "reason": "worse"}


def test_a_raise_brings_the_targets_nearer_and_never_moves_them_away(open_case: Open, alice: User) -> None:
    case = open_case(priority="P3")
    case = actions.raise_priority(case=case, to="P1", reason="worse", by=alice, now=NOW + HOUR)
    assert case.first_response_due_at == case.next_deadline_at == NOW + 2 * HOUR
    near = open_case(priority="P2")
    near = actions.raise_priority(case=near, to="P1", reason="worse", by=alice, now=NOW + HOUR / 2)
    assert near.first_response_due_at == NOW + HOUR


@pytest.mark.clause("C22")
def test_lowering_from_p1_tells_everyone_alerted_and_the_customer_and_replans(
    open_case: Open, on_duty: None, sam: User, alice: User, lena: User
) -> None:
    case = open_case(priority="P1")
    case = actions.lower_priority(case=case, to="P2", reason="a workaround holds", by=sam, now=NOW + HOUR / 6)
    assert rungs(1) == {
        1: (RungState.FIRED, NOW),
        2: (RungState.PENDING, NOW + 4 * HOUR),
        3: (RungState.PENDING, NOW + 24 * HOUR),
        4: (RungState.PENDING, NOW + 48 * HOUR),
    }
    # the wait for an acknowledgement is the lower priority's too
    assert Rung.objects.get(level=2).early_at == NOW + HOUR / 2
    told = Message.objects.filter(kind="case_update")
    assert {message.recipient for message in told} == {alice.acting, lena.acting}
    assert {message.context["reason"] for message in told} == {"a workaround holds"}


def test_lowering_to_p3_has_no_early_climb_and_fewer_levels(
    open_case: Open, on_duty: None, sam: User
) -> None:
    case = open_case(priority="P1")
    actions.lower_priority(case=case, to="P3", reason="test network", by=sam, now=NOW + HOUR / 6)
    states = {level: state for level, (state, _due) in rungs(1).items()}
    assert states == {1: "fired", 2: "pending", 3: "superseded", 4: "superseded"}
    assert Rung.objects.get(level=2).early_at is None
    assert ladder.fire_due(NOW + 24 * HOUR) == 0


def test_a_rung_whose_time_is_past_after_lowering_fires_now(
    open_case: Open, on_duty: None, sam: User
) -> None:
    case = open_case(priority="P1")
    later = NOW + 5 * HOUR
    Rung.objects.filter(level__gt=1).update(early_at=None)
    actions.lower_priority(case=case, to="P2", reason="better", by=sam, now=later)
    assert rungs(1)[2] == (RungState.FIRED, later)
    assert rungs(1)[3][0] == RungState.PENDING


@pytest.mark.clause("C22")
def test_raising_back_within_24_hours_keeps_the_earlier_start(
    open_case: Open, on_duty: None, sam: User, alice: User
) -> None:
    case = open_case(priority="P1")
    actions.lower_priority(case=case, to="P3", reason="better", by=sam, now=NOW + HOUR / 2)
    actions.raise_priority(case=case, to="P1", reason="worse", by=alice, now=NOW + 2 * HOUR)
    assert Cycle.objects.get(number=2).started_at == NOW
    assert {level: state for level, (state, _due) in rungs(2).items()} == {
        1: "fired",
        2: "fired",
        3: "pending",
        4: "pending",
    }
    assert rungs(2)[3][1] == NOW + 4 * HOUR


def test_raising_back_after_24_hours_starts_afresh(
    open_case: Open, on_duty: None, sam: User, alice: User
) -> None:
    case = open_case(priority="P1")
    actions.lower_priority(case=case, to="P3", reason="better", by=sam, now=NOW)
    later = NOW + 24 * HOUR + timedelta(seconds=1)
    actions.raise_priority(case=case, to="P1", reason="worse", by=alice, now=later)
    assert Cycle.objects.get(number=2).started_at == later
    assert rungs(2)[2] == (RungState.PENDING, later + HOUR)


def test_raising_what_was_said_to_be_restored_takes_that_back(
    open_case: Open, on_duty: None, sam: User, alice: User
) -> None:
    case = open_case(priority="P2")
    actions.mark_restored(case=case, by=sam, now=NOW + HOUR)
    case = actions.raise_priority(case=case, to="P1", reason="down again", by=alice, now=NOW + 2 * HOUR)
    assert case.restored_at is None
    assert rungs(2)[1] == (RungState.FIRED, NOW + 2 * HOUR)


def test_a_customer_asks_for_lowering_in_words(open_case: Open, alice: User) -> None:
    with pytest.raises(NotAllowed, match="reply"):
        actions.lower_priority(case=open_case(priority="P1"), to="P2", reason="x", by=alice, now=NOW)


@pytest.mark.parametrize("to", ["P2", "P3"])
def test_a_raise_goes_up(open_case: Open, alice: User, to: str) -> None:
    with pytest.raises(IllegalPriority):
        actions.raise_priority(case=open_case(priority="P2"), to=to, reason="x", by=alice, now=NOW)


@pytest.mark.parametrize("to", ["P2", "P1"])
def test_a_lowering_goes_down(open_case: Open, sam: User, to: str) -> None:
    with pytest.raises(IllegalPriority):
        actions.lower_priority(case=open_case(priority="P2"), to=to, reason="x", by=sam, now=NOW)


def test_both_need_a_reason_and_a_priority_that_exists(open_case: Open, sam: User) -> None:
    case = open_case(priority="P2")
    for change in (actions.raise_priority, actions.lower_priority):
        with pytest.raises(ReasonNeeded):
            change(case=case, to="P1", reason=" ", by=sam, now=NOW)
        with pytest.raises(NotAChoice):
            change(case=case, to="P9", reason="x", by=sam, now=NOW)


def test_a_closed_case_keeps_its_priority(open_case: Open, lena: User, alice: User) -> None:
    case = open_case(priority="P2")
    actions.close_case(case=case, resolution="Gone", by=lena, now=NOW)
    with pytest.raises(CaseClosed):
        actions.raise_priority(case=case, to="P1", reason="x", by=alice, now=NOW)
    assert Cycle.objects.count() == 1


@pytest.mark.parametrize("who", ["mallory", "aki", "paula", "remy"])
def test_others_do_not_raise(open_case: Open, who: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotAllowed):
        actions.raise_priority(
            case=open_case(), to="P1", reason="x", by=request.getfixturevalue(who), now=NOW
        )
