"""How a case ends, and begins again."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts.models import User
from cases import actions
from cases.errors import CaseClosed, IllegalMove, NotAllowed, NotCovered, ReasonNeeded
from cases.models import Case, CaseEvent, Cycle, Rung
from cases.workflow import CaseState, EventKind, RungState
from contracts.models import ServiceContract
from entitlements.models import DecisionRecord
from notifications.models import Message
from tests.factories import NOW

pytestmark = pytest.mark.django_db
Open = Callable[..., Case]
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def taken(open_case: Open, on_duty: None, sam: User) -> Case:
    """A P1 of Acme that Sam has taken."""
    return actions.take_case(case=open_case(priority="P1"), by=sam, now=NOW)


@pytest.fixture
def proposed(taken: Case, sam: User) -> Case:
    return actions.propose_resolution(
        case=taken, resolution="Inodes freed.", cause="spool", by=sam, now=NOW + HOUR
    )


@pytest.fixture
def closed(proposed: Case, alice: User) -> Case:
    return actions.accept_resolution(case=proposed, by=alice, now=NOW + 2 * HOUR)


def test_a_proposal_waits_for_the_customer_and_counts_as_an_answer(proposed: Case, alice: User) -> None:
    assert (proposed.state, proposed.resolution, proposed.cause) == (
        CaseState.RESOLUTION_PROPOSED,
        "Inodes freed.",
        "spool",
    )
    assert (proposed.proposed_at, proposed.first_responded_at) == (NOW + HOUR, NOW + HOUR)
    assert proposed.next_deadline_at is None
    told = Message.objects.get(kind="case_update")
    assert (told.recipient, told.context["what"]) == (alice.acting, "resolution_proposed")


@pytest.mark.clause("C22")
def test_a_proposal_alone_does_not_stop_the_ladder(proposed: Case) -> None:
    assert Rung.objects.filter(state=RungState.PENDING).count() == 3


def test_nothing_is_proposed_before_work_began_or_without_text(open_case: Open, sam: User) -> None:
    case = open_case()
    with pytest.raises(IllegalMove):
        actions.propose_resolution(case=case, resolution="Fixed", by=sam, now=NOW)
    with pytest.raises(ReasonNeeded):
        actions.propose_resolution(case=case, resolution=" ", by=sam, now=NOW)


def test_accepting_closes_the_case_and_cancels_what_is_pending(closed: Case, sam: User) -> None:
    case = Case.objects.get(pk=closed.pk)
    assert (case.state, case.closed_at, case.restored_at) == (
        CaseState.CLOSED,
        NOW + 2 * HOUR,
        NOW + 2 * HOUR,
    )
    assert (case.resolution, case.cause, case.next_deadline_at) == ("Inodes freed.", "spool", None)
    assert not Rung.objects.filter(state=RungState.PENDING).exists()
    assert Rung.objects.filter(state=RungState.CANCELLED, reason="closed").count() == 3
    told = Message.objects.filter(kind="case_update", recipient=sam.acting)
    assert [message.context["what"] for message in told] == ["resolution_accepted"]


def test_restored_at_may_come_long_before_the_closing(taken: Case, sam: User, alice: User) -> None:
    actions.mark_restored(case=taken, by=sam, now=NOW + HOUR)
    actions.propose_resolution(case=taken, resolution="Fixed", by=sam, now=NOW + DAY)
    case = actions.accept_resolution(case=taken, by=alice, now=NOW + 2 * DAY)
    assert (case.restored_at, case.closed_at) == (NOW + HOUR, NOW + 2 * DAY)


def test_rejecting_brings_it_back_in_progress_with_a_new_target(
    proposed: Case, alice: User, sam: User
) -> None:
    case = actions.reject_resolution(case=proposed, reason="still slow", by=alice, now=NOW + 2 * HOUR)
    assert (case.state, case.next_deadline_at) == (CaseState.IN_PROGRESS, NOW + 6 * HOUR)
    told = Message.objects.get(kind="case_update", recipient=sam.acting)
    assert (told.context["what"], told.context["reason"]) == ("resolution_rejected", "still slow")


def test_only_what_is_proposed_can_be_answered(taken: Case, alice: User) -> None:
    with pytest.raises(IllegalMove):
        actions.accept_resolution(case=taken, by=alice, now=NOW)
    with pytest.raises(IllegalMove):
        actions.reject_resolution(case=taken, reason="no", by=alice, now=NOW)


def test_an_answer_given_twice_is_refused(closed: Case, alice: User) -> None:
    with pytest.raises(CaseClosed):
        actions.accept_resolution(case=closed, by=alice, now=NOW + 3 * HOUR)
    with pytest.raises(CaseClosed):
        actions.reject_resolution(case=closed, reason="no", by=alice, now=NOW + 3 * HOUR)


@pytest.mark.parametrize("who", ["mallory", "sam", "lena", "aki"])
def test_only_the_customer_answers(proposed: Case, who: str, request: pytest.FixtureRequest) -> None:
    person = request.getfixturevalue(who)
    with pytest.raises(NotAllowed):
        actions.accept_resolution(case=proposed, by=person, now=NOW)
    with pytest.raises(NotAllowed):
        actions.request_closure(case=proposed, by=person, now=NOW)


def test_an_engineer_closes_only_what_the_customer_asked_to_close(
    taken: Case, sam: User, alice: User
) -> None:
    with pytest.raises(NotAllowed):
        actions.close_case(case=taken, resolution="Duplicate", by=sam, now=NOW)
    actions.request_closure(case=taken, by=alice, now=NOW)
    assert Message.objects.get(kind="case_update").recipient == sam.acting
    case = actions.close_case(case=taken, resolution="Customer found it", by=sam, now=NOW + HOUR)
    assert case.state == CaseState.CLOSED
    assert CaseEvent.objects.get(kind=EventKind.CLOSED).body == "Customer found it"


def test_a_wish_for_closure_from_before_a_reopening_counts_no_more(
    taken: Case, sam: User, alice: User
) -> None:
    actions.request_closure(case=taken, by=alice, now=NOW)
    actions.close_case(case=taken, resolution="Gone", by=sam, now=NOW + HOUR)
    actions.reopen_case(case=taken, reason="back", by=alice, now=NOW + 2 * HOUR)
    with pytest.raises(NotAllowed):
        actions.close_case(case=taken, resolution="Gone", by=sam, now=NOW + 3 * HOUR)


def test_a_duty_manager_closes_with_a_reason(taken: Case, lena: User) -> None:
    with pytest.raises(ReasonNeeded):
        actions.close_case(case=taken, resolution="", by=lena, now=NOW)
    assert actions.close_case(case=taken, resolution="Withdrawn", by=lena, now=NOW).state == CaseState.CLOSED


@pytest.mark.clause("C22")
def test_reopening_starts_the_ladder_anew(closed: Case, alice: User) -> None:
    later = NOW + 3 * HOUR
    case = actions.reopen_case(case=closed, reason="it came back", by=alice, now=later)
    assert (case.state, case.closed_at, case.restored_at, case.proposed_at) == (
        CaseState.IN_PROGRESS,
        None,
        None,
        None,
    )
    assert case.next_deadline_at == later + 4 * HOUR
    cycle = Cycle.objects.get(ended_at=None)
    assert (cycle.number, cycle.started_by, cycle.started_at) == (2, EventKind.REOPENED, later)
    assert cycle.rungs.get(level=1).state == RungState.FIRED


@pytest.mark.parametrize(
    ("after", "may"), [(14 * DAY - timedelta(seconds=1), True), (14 * DAY, False), (15 * DAY, False)]
)
def test_a_case_reopens_for_14_days(closed: Case, alice: User, after: timedelta, may: bool) -> None:
    moment = NOW + 2 * HOUR + after
    if may:
        assert actions.reopen_case(case=closed, reason="back", by=alice, now=moment).is_open
    else:
        with pytest.raises(IllegalMove, match="new case"):
            actions.reopen_case(case=closed, reason="back", by=alice, now=moment)


def test_an_open_case_cannot_be_reopened(taken: Case, alice: User) -> None:
    with pytest.raises(IllegalMove):
        actions.reopen_case(case=taken, reason="back", by=alice, now=NOW)


@pytest.mark.clause("C25")
def test_without_a_contract_in_force_nothing_is_reopened_and_the_attempt_is_kept(
    closed: Case, alice: User
) -> None:
    ServiceContract.objects.filter(pk=closed.contract_id).update(ends_at=NOW + 2 * HOUR)
    with pytest.raises(NotCovered):
        actions.reopen_case(case=closed, reason="back", by=alice, now=NOW + 3 * HOUR)
    assert not Case.objects.get(pk=closed.pk).is_open
    assert not DecisionRecord.objects.latest("pk").is_granted
