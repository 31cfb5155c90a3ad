"""Two people, or a person and the engine, at the same instant. Each ends as if one had come after the other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction

from accounts.models import User
from cases import actions, ladder
from cases.errors import CaseChanged, CaseClosed, CaseError, IllegalMove
from cases.models import Case, CaseEvent, Rung
from cases.workflow import CaseState, EventKind, RungState
from notifications.actions import acknowledge
from notifications.models import Message
from tests.factories import NOW

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.attack("two people change the same case at once"),
]
Open = Callable[..., Case]
Act = Callable[[], object]
MINUTE = timedelta(minutes=1)


def at_once(*acts: Act) -> list[object]:
    """Do all of it at the same instant; what each gave back, or the error that stood against it."""
    start = Barrier(len(acts))

    def run(act: Act) -> object:
        try:
            start.wait(timeout=20)
            return act()
        except CaseError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as people:
        return list(people.map(run, acts))


def errors(results: list[object]) -> list[type]:
    return [type(result) for result in results if isinstance(result, CaseError)]


def test_two_engineers_take_a_case_and_one_has_it(open_case: Open, sam: User, sofia: User) -> None:
    case = open_case()
    results = at_once(
        lambda: actions.take_case(case=case, by=sam, now=NOW),
        lambda: actions.take_case(case=case, by=sofia, now=NOW),
    )
    assert errors(results) == [IllegalMove]
    case.refresh_from_db(fields=["owner", "version", "state"])
    assert case.owner in (sam.acting, sofia.acting)
    assert (case.version, case.state) == (2, CaseState.IN_PROGRESS)
    assert CaseEvent.objects.filter(kind=EventKind.ASSIGNED).count() == 1


def test_one_accepts_while_another_rejects_and_one_answer_stands(
    open_case: Open, alice: User, anna: User, sam: User
) -> None:
    case = actions.take_case(case=open_case(), by=sam, now=NOW)
    actions.propose_resolution(case=case, resolution="Fixed", by=sam, now=NOW)
    results = at_once(
        lambda: actions.accept_resolution(case=case, by=alice, now=NOW),
        lambda: actions.reject_resolution(case=case, reason="no", by=anna, now=NOW),
    )
    assert len(errors(results)) == 1
    assert errors(results)[0] in (CaseClosed, IllegalMove)
    answers = (EventKind.RESOLUTION_ACCEPTED, EventKind.RESOLUTION_REJECTED)
    assert CaseEvent.objects.filter(kind__in=answers).count() == 1


def test_two_replies_to_the_same_version_and_one_is_told_that_it_changed(
    open_case: Open, alice: User, sam: User
) -> None:
    case = open_case()
    results = at_once(
        lambda: actions.reply(case=case, body="a", by=alice, now=NOW, expected_version=1),
        lambda: actions.reply(case=case, body="b", by=sam, now=NOW, expected_version=1),
    )
    assert errors(results) == [CaseChanged]
    assert Case.objects.get().version == 2


def test_ten_cases_opened_at_once_have_ten_numbers(open_case: Open, alice: User) -> None:
    at_once(*[open_case for _ in range(10)])
    numbers = sorted(Case.objects.values_list("number", flat=True))
    assert numbers == [f"2026-1122-{n:04d}" for n in range(1, 11)]


@pytest.mark.clause("C22")
def test_three_engines_fire_each_rung_once(open_case: Open, on_duty: None) -> None:
    for _case in range(6):
        open_case(priority="P1")
    results = at_once(*[lambda: ladder.fire_due(NOW + 15 * MINUTE) for _ in range(3)])
    # what was held by another engine is left to it, or to the next pass
    ladder.fire_due(NOW + 15 * MINUTE)
    assert sum(result for result in results if isinstance(result, int)) <= 6
    assert Rung.objects.filter(level=2, state=RungState.FIRED).count() == 6
    assert Message.objects.filter(kind="case_alert", context__level=2).count() == 6
    assert CaseEvent.objects.filter(kind=EventKind.ALERT, detail__level=2).count() == 6


@pytest.mark.clause("C22")
@pytest.mark.parametrize("attempt", range(4))
def test_an_acknowledgement_and_the_climb_at_the_same_instant(
    open_case: Open, on_duty: None, lena: User, attempt: int
) -> None:
    open_case(priority="P1")
    alert = Message.objects.get(kind="case_alert")
    now = NOW + 15 * MINUTE
    at_once(
        lambda: acknowledge(message=alert, by=lena, how="page", note="", now=now),
        lambda: ladder.fire_due(now),
    )
    # whichever came first, nothing climbs after the acknowledgement
    assert not Rung.objects.filter(state=RungState.PENDING, early_at__isnull=False).exists()
    assert ladder.fire_due(NOW + 59 * MINUTE) == 0
    assert Rung.objects.get(level=1).acknowledged_at == now
    director = Rung.objects.get(level=2)
    told = Message.objects.filter(kind="case_alert", context__level=2).count()
    assert told == (1 if director.state == RungState.FIRED else 0)


@pytest.mark.clause("C22")
@pytest.mark.parametrize("attempt", range(4))
def test_restoring_and_firing_at_the_same_instant(
    open_case: Open, on_duty: None, sam: User, attempt: int
) -> None:
    case = open_case(priority="P1")
    now = NOW + 15 * MINUTE
    at_once(
        lambda: actions.mark_restored(case=case, by=sam, now=now),
        lambda: ladder.fire_due(now),
    )
    assert Case.objects.get().restored_at == now
    assert not Rung.objects.filter(state=RungState.PENDING).exists()
    fired = Rung.objects.filter(state=RungState.FIRED).count()
    assert Message.objects.filter(kind="case_alert").count() == fired
    assert ladder.fire_due(NOW + timedelta(days=2)) == 0


def test_the_engine_passes_over_a_case_that_somebody_holds(open_case: Open, on_duty: None) -> None:
    held, free = open_case(priority="P1"), open_case(priority="P1")
    with transaction.atomic():
        Case.objects.locked(held.pk)
        [claimed] = at_once(lambda: ladder.fire_due(NOW + 15 * MINUTE))
    assert claimed == 1
    assert Rung.objects.get(cycle__case=free, level=2).state == RungState.FIRED
    assert ladder.fire_due(NOW + 15 * MINUTE) == 1


def test_a_refused_case_keeps_its_record_when_the_page_answers_in_a_transaction(
    open_case: Open, alice: User
) -> None:
    """The record survives the error as long as nobody undoes what the error passes through."""
    with transaction.atomic():
        case = open_case()
        with pytest.raises(IllegalMove):
            actions.accept_resolution(case=case, by=alice, now=NOW)
    assert Case.objects.filter(pk=case.pk).exists()
