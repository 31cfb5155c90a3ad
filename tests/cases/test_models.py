"""What the database refuses, whoever asks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, transaction
from django.db.models import Model

from accounts.models import User
from cases.models import Case, CaseEvent, Cycle, Rung, Watcher
from cases.timeline import pauses_of, record_event, timeline
from cases.workflow import EventKind
from tests.factories import NOW

pytestmark = pytest.mark.django_db
Open = Callable[..., Case]


def refused(constraint: str, write: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        write()
    assert constraint in str(error.value)


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("number_has_its_form", {"number": "2026-11-22-1"}),
        ("priority_is_known", {"priority": "P9"}),
        ("state_is_known", {"state": "lost"}),
        ("environment_is_known", {"environment": "moon"}),
        ("only_a_closed_one_has_a_closing_time", {"closed_at": NOW}),
        ("only_a_closed_one_has_a_closing_time", {"state": "closed"}),
        ("waiting_for_the_customer_says_since_when_and_why", {"state": "customer_pending"}),
        (
            "waiting_for_the_customer_says_since_when_and_why",
            {"state": "customer_pending", "pending_since": NOW},
        ),
        ("proposed_resolution_says_what_and_when", {"state": "resolution_proposed", "proposed_at": NOW}),
        ("is_restored_after_it_opened", {"restored_at": NOW - timedelta(seconds=1)}),
    ],
)
def test_a_case_that_makes_no_sense_is_refused(
    open_case: Open, constraint: str, values: dict[str, Any]
) -> None:
    case = open_case()
    refused(f"cases_case_{constraint}", lambda: Case.objects.filter(pk=case.pk).update(**values))


def test_a_number_is_given_once(open_case: Open) -> None:
    first, second = open_case(), open_case()
    refused("cases_case_number", lambda: Case.objects.filter(pk=second.pk).update(number=first.number))


def test_one_decision_opens_one_case(open_case: Open) -> None:
    first, second = open_case(), open_case()
    refused("decision_id", lambda: Case.objects.filter(pk=second.pk).update(decision_id=first.decision_id))


def test_a_ladder_that_makes_no_sense_is_refused(open_case: Open) -> None:
    case = open_case()
    cycle = Cycle.objects.get()
    rung = Rung.objects.get(level=1)
    cycles, rungs = Cycle.objects.filter(pk=cycle.pk), Rung.objects.filter(pk=rung.pk)
    values: dict[str, Any] = {
        "case": case,
        "policy": cycle.policy,
        "priority": "P3",
        "started_at": NOW,
        "started_by": "opened",
    }
    refused("runs_once_per_case", lambda: Cycle.objects.create(number=2, **values))
    refused("number_is_unique_in_its_case", lambda: Cycle.objects.create(number=1, ended_at=NOW, **values))
    refused("cycle_priority_is_known", lambda: cycles.update(priority="P9"))
    refused("level_is_once_per_cycle", lambda: Rung.objects.create(cycle=cycle, level=1, clock="24x7"))
    refused("rung_state_is_known", lambda: rungs.update(state="lost"))
    refused("rung_clock_is_known", lambda: rungs.update(clock="moon"))
    refused("only_a_fired_one_has_a_firing_time", lambda: rungs.update(state="fired"))
    refused("only_a_fired_one_has_a_firing_time", lambda: rungs.update(fired_at=NOW))


def test_somebody_is_kept_informed_once(open_case: Open, anna: User) -> None:
    case = open_case(watchers=[anna.acting])
    refused("watcher_is_once_per_case", lambda: Watcher.objects.create(case=case, membership=anna.acting))


def test_a_note_is_internal_and_kinds_are_known(open_case: Open) -> None:
    case = open_case()
    refused("note_is_internal", lambda: CaseEvent.objects.create(case=case, kind="note", at=NOW))
    refused("caseevent_kind_is_known", lambda: CaseEvent.objects.create(case=case, kind="gossip", at=NOW))


def test_the_timeline_is_only_ever_added_to(open_case: Open) -> None:
    open_case()
    for change in (lambda: CaseEvent.objects.update(body="x"), lambda: CaseEvent.objects.all().delete()):
        with pytest.raises(InternalError, match="Cannot update or delete"), transaction.atomic():
            change()


def test_the_hour_of_a_rung_is_the_earlier_of_two_or_none(open_case: Open) -> None:
    open_case()
    hour = timedelta(hours=1)
    for due, early, at in (
        (NOW, None, NOW),
        (NOW, NOW - hour, NOW - hour),
        (NOW, NOW + hour, NOW),
        (None, NOW, NOW),
        (None, None, None),
    ):
        Rung.objects.filter(level=1).update(due_at=due, early_at=early)
        assert Rung.objects.get(level=1).next_at == at


@pytest.mark.clause("C28")
@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("alice", True),
        ("anna", True),
        ("sam", True),
        ("lena", True),
        ("aki", True),
        ("mallory", False),
        ("remy", False),
        ("paula", False),
        ("ada", False),
        ("ended", False),
        ("root", False),
    ],
)
def test_rows_are_seen_by_those_who_may(
    open_case: Open, who: str, sees: bool, request: pytest.FixtureRequest
) -> None:
    case, user = open_case(), request.getfixturevalue(who)
    models: list[Any] = [Case, CaseEvent, Rung]
    assert [bool(model.objects.visible_to(user).count()) for model in models] == [sees] * 3
    assert bool(timeline(case, user)) is sees


def test_pauses_are_read_from_the_story(open_case: Open) -> None:
    case = open_case()
    moves = [("in_progress", 1), ("customer_pending", 2), ("in_progress", 4), ("customer_pending", 7)]
    before = "new"
    for to, hours in moves:
        at = NOW + timedelta(hours=hours)
        record_event(case, EventKind.STATE, by=None, now=at, detail={"from": before, "to": to})
        before = to
    hour = timedelta(hours=1)
    assert pauses_of(case) == [(NOW + 2 * hour, NOW + 4 * hour), (NOW + 7 * hour, None)]


@pytest.mark.parametrize("model", [Case, CaseEvent, Cycle, Rung, Watcher])
def test_every_row_has_words_for_people(open_case: Open, anna: User, model: type[Model]) -> None:
    open_case(watchers=[anna.acting])
    row = model._default_manager.first()
    assert str(row)
