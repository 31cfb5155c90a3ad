"""Taking, assigning, moving on."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from accounts.models import User
from cases import actions
from cases.errors import CaseChanged, CaseClosed, IllegalMove, NotAChoice, NotAllowed, ReasonNeeded
from cases.models import Case, CaseEvent, Rung
from cases.workflow import MOVES, CaseState, EventKind
from notifications.models import Message
from tests.factories import NOW

pytestmark = pytest.mark.django_db
Open = Callable[..., Case]
LATER = NOW + timedelta(minutes=10)


def due_times() -> list[datetime]:
    return [rung.due_at for rung in Rung.objects.order_by("level") if rung.due_at]


def test_taking_a_case_makes_it_ones_own_and_in_progress(open_case: Open, sam: User) -> None:
    case = actions.take_case(case=open_case(), by=sam, now=LATER)
    assert (case.owner, case.state, case.version) == (sam.acting, CaseState.IN_PROGRESS, 2)
    event = CaseEvent.objects.get(kind=EventKind.ASSIGNED)
    assert event.detail == {"owner": "Sam Ruiz", "from": "new", "to": "in_progress"}


def test_taking_it_twice_changes_nothing(open_case: Open, sam: User) -> None:
    case = actions.take_case(case=open_case(), by=sam, now=LATER)
    assert actions.take_case(case=case, by=sam, now=LATER).version == case.version


def test_what_a_colleague_has_cannot_be_taken_only_assigned(open_case: Open, sam: User, sofia: User) -> None:
    case = actions.take_case(case=open_case(), by=sam, now=LATER)
    with pytest.raises(IllegalMove, match="Sam Ruiz"):
        actions.take_case(case=case, by=sofia, now=LATER)
    assert actions.assign_case(case=case, to=sofia.acting, by=sofia, now=LATER).owner == sofia.acting


def test_assigning_dispatches_a_new_case_and_tells_the_engineer(
    open_case: Open, sam: User, lena: User
) -> None:
    case = actions.assign_case(case=open_case(), to=sam.acting, by=lena, now=LATER)
    assert (case.owner, case.state) == (sam.acting, CaseState.DISPATCHED)
    told = Message.objects.get(kind="case_update")
    assert (told.recipient, told.context["what"]) == (sam.acting, "assigned")


def test_a_case_goes_back_to_the_queue(open_case: Open, sam: User) -> None:
    case = actions.take_case(case=open_case(), by=sam, now=LATER)
    case = actions.assign_case(case=case, to=None, by=sam, now=LATER)
    assert case.owner is None
    assert not Message.objects.exists()


@pytest.mark.parametrize("who", ["alice", "mallory", "paula", "ada", "aki", "remy"])
def test_only_staff_who_work_on_cases_can_have_one(
    open_case: Open, sam: User, who: str, request: pytest.FixtureRequest
) -> None:
    person: User = request.getfixturevalue(who)
    with pytest.raises(NotAChoice):
        actions.assign_case(case=open_case(), to=person.acting, by=sam, now=LATER)


def test_somebody_who_has_left_cannot_have_one(open_case: Open, sam: User, sofia: User) -> None:
    assert sofia.acting is not None
    stale = sofia.acting
    type(stale).objects.filter(pk=stale.pk).update(ended_at=NOW)
    with pytest.raises(NotAChoice):
        actions.assign_case(case=open_case(), to=stale, by=sam, now=LATER)
    with pytest.raises(NotAllowed):
        actions.take_case(case=open_case(), by=sofia, now=LATER)


@pytest.mark.parametrize("before", sorted(MOVES))
def test_jtac_moves_a_case_as_the_table_says_and_no_other_way(
    open_case: Open, sam: User, before: str
) -> None:
    case = open_case()
    needed = {
        CaseState.CUSTOMER_PENDING: {"pending_since": NOW, "pending_reason": "log"},
        CaseState.RESOLUTION_PROPOSED: {"proposed_at": NOW, "resolution": "Fixed"},
        CaseState.CLOSED: {"closed_at": NOW},
    }
    for to in CaseState.values:
        Case.objects.filter(pk=case.pk).update(state=before, **needed.get(CaseState(before), {}))
        if to in MOVES[before] and to != CaseState.RESOLUTION_PROPOSED:
            assert actions.change_state(case=case, to=to, reason="because", by=sam, now=LATER).state == to
            continue
        with pytest.raises(CaseClosed if before == CaseState.CLOSED else IllegalMove) as refused:
            actions.change_state(case=case, to=to, reason="because", by=sam, now=LATER)
        assert str(refused.value)


def test_an_illegal_move_says_which_ones_there_are(open_case: Open, sam: User) -> None:
    with pytest.raises(IllegalMove, match="only to: Dispatched, In progress, Customer pending"):
        actions.change_state(case=open_case(), to="monitoring", by=sam, now=LATER)


@pytest.mark.clause("C56", "C68")
def test_waiting_for_the_customer_needs_the_reason_and_the_customer_is_told(
    open_case: Open, sam: User, alice: User
) -> None:
    case = open_case()
    with pytest.raises(ReasonNeeded):
        actions.change_state(case=case, to="customer_pending", by=sam, now=LATER)
    case = actions.change_state(case=case, to="customer_pending", reason="show version", by=sam, now=LATER)
    assert (case.pending_since, case.pending_reason) == (LATER, "show version")
    assert case.next_deadline_at is None
    told = Message.objects.get(kind="case_update")
    assert (told.recipient, told.context["reason"]) == (alice.acting, "show version")


@pytest.mark.clause("C22", "C68")
def test_waiting_stops_the_ladder_in_business_hours_and_goes_on_where_it_stood(
    open_case: Open, sam: User, alice: User
) -> None:
    case = open_case(priority="P3")
    planned = due_times()
    day = timedelta(days=1)
    actions.change_state(case=case, to="customer_pending", reason="log", by=sam, now=NOW + 2 * day)
    assert set(Rung.objects.values_list("due_at", "next_at")) == {(None, None)}
    actions.reply(case=case, body="Here", by=alice, now=NOW + 3 * day)
    # from Tuesday 04:00 to Wednesday 04:00 in California is one business day, which for L1 falls on a weekend
    assert due_times() == [planned[0] + 3 * day, planned[1] + day]


@pytest.mark.clause("C22")
@pytest.mark.parametrize("priority", ["P1", "P2"])
def test_waiting_never_stops_the_ladder_of_a_high_priority(
    open_case: Open, on_duty: None, sam: User, priority: str
) -> None:
    case = open_case(priority=priority)
    planned = list(Rung.objects.order_by("level").values_list("due_at", "early_at", "state"))
    actions.change_state(case=case, to="customer_pending", reason="log", by=sam, now=LATER)
    assert list(Rung.objects.order_by("level").values_list("due_at", "early_at", "state")) == planned


@pytest.mark.parametrize("who", ["alice", "mallory", "paula", "ada", "aki", "remy", "ended"])
def test_only_jtac_steers(open_case: Open, who: str, request: pytest.FixtureRequest) -> None:
    case, person = open_case(), request.getfixturevalue(who)
    with pytest.raises(NotAllowed):
        actions.take_case(case=case, by=person, now=LATER)
    with pytest.raises(NotAllowed):
        actions.assign_case(case=case, to=None, by=person, now=LATER)
    with pytest.raises(NotAllowed):
        actions.change_state(case=case, to="dispatched", by=person, now=LATER)
    assert Case.objects.get(pk=case.pk).version == 1


def test_every_change_is_refused_when_the_case_changed_meanwhile(open_case: Open, sam: User) -> None:
    case = open_case()
    actions.add_note(case=case, body="x", by=sam, now=LATER)
    with pytest.raises(CaseChanged):
        actions.take_case(case=case, by=sam, now=LATER, expected_version=1)
    with pytest.raises(CaseChanged):
        actions.assign_case(case=case, to=sam.acting, by=sam, now=LATER, expected_version=1)
    with pytest.raises(CaseChanged):
        actions.change_state(case=case, to="in_progress", by=sam, now=LATER, expected_version=1)
    assert actions.take_case(case=case, by=sam, now=LATER, expected_version=2).version == 3
