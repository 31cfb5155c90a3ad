"""Service restored, and denied."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts.models import User
from cases import actions, ladder
from cases.errors import CaseClosed, IllegalMove, NotAllowed, ReasonNeeded
from cases.models import Case, CaseEvent, Cycle, Rung
from cases.workflow import CaseState, EventKind, RungState
from notifications.models import Message
from tests.factories import NOW

pytestmark = pytest.mark.django_db
Open = Callable[..., Case]
HOUR = timedelta(hours=1)


@pytest.mark.clause("C16", "C22")
def test_restoring_cancels_what_is_pending_and_tells_the_customer(
    open_case: Open, on_duty: None, sam: User, alice: User
) -> None:
    case = open_case(priority="P1")
    case = actions.mark_restored(case=case, by=sam, now=NOW + HOUR / 2, note="Restarted the exporter.")
    assert case.restored_at == NOW + HOUR / 2
    assert case.is_open
    states = list(Rung.objects.order_by("level").values_list("state", "reason", "early_at"))
    assert states == [("fired", "", None)] + 3 * [("cancelled", "restored", None)]
    assert Cycle.objects.get().ended_at == NOW + HOUR / 2
    assert ladder.fire_due(NOW + 48 * HOUR) == 0
    told = Message.objects.get(kind="case_update")
    assert (told.recipient, told.context["what"]) == (alice.acting, "restored")


def test_service_is_restored_once(open_case: Open, sam: User) -> None:
    case = actions.mark_restored(case=open_case(), by=sam, now=NOW)
    with pytest.raises(IllegalMove):
        actions.mark_restored(case=case, by=sam, now=NOW)


@pytest.mark.clause("C22")
def test_the_customer_denies_it_and_the_ladder_starts_anew(
    open_case: Open, on_duty: None, sam: User, alice: User, lena: User
) -> None:
    case = open_case(priority="P1")
    actions.mark_restored(case=case, by=sam, now=NOW + HOUR)
    case = actions.deny_restoration(case=case, reason="still dark", by=alice, now=NOW + 2 * HOUR)
    assert case.restored_at is None
    cycle = Cycle.objects.get(ended_at=None)
    assert (cycle.number, cycle.started_at, cycle.started_by) == (
        2,
        NOW + 2 * HOUR,
        EventKind.RESTORATION_DENIED,
    )
    alerts = Message.objects.filter(kind="case_alert", recipient=lena.acting)
    assert [alert.context["cycle"] for alert in alerts] == [1, 2]
    assert cycle.rungs.get(level=2).due_at == NOW + 3 * HOUR


@pytest.mark.parametrize("state", [CaseState.CUSTOMER_PENDING, CaseState.MONITORING])
def test_denying_brings_a_waiting_case_back_in_progress(
    open_case: Open, sam: User, alice: User, state: CaseState
) -> None:
    case = actions.take_case(case=open_case(priority="P3"), by=sam, now=NOW)
    actions.change_state(case=case, to=state, reason="test it", by=sam, now=NOW)
    actions.mark_restored(case=case, by=sam, now=NOW)
    case = actions.deny_restoration(case=case, reason="still dark", by=alice, now=NOW + HOUR)
    assert (case.state, case.pending_since) == (CaseState.IN_PROGRESS, None)
    assert Rung.objects.filter(cycle__number=2, state=RungState.PENDING, due_at=None).count() == 0


def test_jtac_withdraws_it_too(open_case: Open, sam: User) -> None:
    actions.mark_restored(case=(case := open_case()), by=sam, now=NOW)
    case = actions.deny_restoration(case=case, reason="it came back", by=sam, now=NOW + HOUR)
    assert case.restored_at is None
    assert CaseEvent.objects.get(kind=EventKind.RESTORATION_DENIED).detail["reason"] == "it came back"


def test_what_nobody_said_cannot_be_denied_and_denying_needs_a_reason(open_case: Open, alice: User) -> None:
    case = open_case()
    with pytest.raises(IllegalMove):
        actions.deny_restoration(case=case, reason="dark", by=alice, now=NOW)
    with pytest.raises(ReasonNeeded):
        actions.deny_restoration(case=case, reason="", by=alice, now=NOW)


def test_a_closed_case_is_reopened_not_denied(open_case: Open, lena: User, alice: User) -> None:
    case = actions.close_case(case=open_case(), resolution="Gone", by=lena, now=NOW)
    with pytest.raises(CaseClosed):
        actions.deny_restoration(case=case, reason="dark", by=alice, now=NOW)


def test_only_jtac_says_that_service_is_restored(open_case: Open, alice: User, aki: User) -> None:
    case = open_case()
    for person in (alice, aki):
        with pytest.raises(NotAllowed):
            actions.mark_restored(case=case, by=person, now=NOW)
    with pytest.raises(NotAllowed):
        actions.deny_restoration(case=case, reason="x", by=aki, now=NOW)
