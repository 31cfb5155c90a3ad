"""The management ladder: firing, climbing, acknowledging, ending."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from cases import actions, ladder
from cases.models import Case, CaseEvent, Cycle, Rung
from cases.workflow import CaseState, EventKind, RungState
from entitlements.models import Policy, PolicyRung
from notifications import jobs
from notifications.actions import acknowledge
from notifications.followups import DELIVERY_DEAD
from notifications.models import Delivery, DutyPerson, Incident, Message
from tests.factories import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.clause("C22")]
Open = Callable[..., Case]
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def fired() -> dict[int, datetime]:
    return {r.level: r.fired_at for r in Rung.objects.filter(state=RungState.FIRED) if r.fired_at}


def early() -> dict[int, datetime]:
    return {r.level: r.early_at for r in Rung.objects.filter(state=RungState.PENDING) if r.early_at}


def answer(user: User, at: datetime, level: int) -> None:
    message = Message.objects.filter(kind="case_alert", context__level=level).latest("pk")
    acknowledge(message=message, by=user, how="page", note="", now=at)


def test_nothing_fires_before_its_hour_and_everything_at_it(open_case: Open, on_duty: None) -> None:
    open_case(priority="P1")
    Rung.objects.update(early_at=None)
    assert ladder.fire_due(NOW + HOUR - timedelta(microseconds=1)) == 0
    assert ladder.fire_due(NOW + HOUR) == 1
    assert fired() == {1: NOW, 2: NOW + HOUR}
    assert not Rung.objects.get(level=2).fired_early
    assert ladder.fire_due(NOW + HOUR) == 0


def test_unacknowledged_it_climbs_level_by_level_each_with_its_own_wait(
    open_case: Open, on_duty: None, omar: User
) -> None:
    open_case(priority="P1")
    for minutes in range(61):
        ladder.fire_due(NOW + minutes * MINUTE)
    assert fired() == {1: NOW, 2: NOW + 15 * MINUTE, 3: NOW + 30 * MINUTE, 4: NOW + 45 * MINUTE}
    assert list(Rung.objects.order_by("level").values_list("fired_early", flat=True)) == [
        False,
        True,
        True,
        True,
    ]
    assert Message.objects.get(kind="case_alert", context__level=2).recipient == omar.acting


def test_p2_waits_30_minutes_and_p3_never_climbs(open_case: Open, on_duty: None) -> None:
    open_case(priority="P2")
    open_case(priority="P3")
    assert early() == {2: NOW + 30 * MINUTE}


def test_an_acknowledgement_ends_the_climb_and_not_the_timed_rungs(
    open_case: Open, on_duty: None, lena: User
) -> None:
    case = open_case(priority="P1")
    answer(lena, NOW + 5 * MINUTE, level=1)
    rung = Rung.objects.get(level=1)
    assert (rung.acknowledged_at, rung.acknowledged_by) == (NOW + 5 * MINUTE, lena.acting)
    assert early() == {}
    assert ladder.fire_due(NOW + 59 * MINUTE) == 0
    assert ladder.fire_due(NOW + HOUR) == 1
    event = CaseEvent.objects.get(kind=EventKind.ACKNOWLEDGED)
    assert (event.case, event.by, event.detail) == (case, lena.acting, {"level": 1, "cycle": 1})


def test_an_acknowledgement_covers_the_levels_below(open_case: Open, on_duty: None, omar: User) -> None:
    open_case(priority="P1")
    ladder.fire_due(NOW + 15 * MINUTE)
    answer(omar, NOW + 20 * MINUTE, level=2)
    assert set(Rung.objects.filter(level__lte=2).values_list("acknowledged_by", flat=True)) == {
        omar.acting.pk if omar.acting else 0
    }
    assert early() == {}


def test_an_acknowledgement_below_ends_the_climb_above_too(
    open_case: Open, on_duty: None, lena: User
) -> None:
    open_case(priority="P1")
    ladder.fire_due(NOW + 15 * MINUTE)
    answer(lena, NOW + 20 * MINUTE, level=1)
    assert early() == {}
    assert Rung.objects.get(level=2).acknowledged_at is None


def test_a_timed_rung_after_an_acknowledgement_waits_for_one_of_its_own(
    open_case: Open, on_duty: None, lena: User
) -> None:
    open_case(priority="P1")
    answer(lena, NOW + 5 * MINUTE, level=1)
    ladder.fire_due(NOW + HOUR)
    assert early() == {3: NOW + HOUR + 15 * MINUTE}


def test_a_late_acknowledgement_of_an_earlier_ladder_leaves_the_running_one_alone(
    open_case: Open, on_duty: None, lena: User, sam: User, alice: User
) -> None:
    case = open_case(priority="P1")
    first = Message.objects.get(kind="case_alert")
    actions.mark_restored(case=case, by=sam, now=NOW + MINUTE)
    actions.deny_restoration(case=case, reason="dark", by=alice, now=NOW + 2 * MINUTE)
    acknowledge(message=first, by=lena, how="page", note="", now=NOW + 3 * MINUTE)
    assert early() == {2: NOW + 17 * MINUTE}
    assert Rung.objects.get(cycle__number=1, level=1).acknowledged_at == NOW + 3 * MINUTE
    assert Rung.objects.get(cycle__number=2, level=1).acknowledged_at is None


def test_everyone_on_duty_at_a_level_is_alerted_once_each(
    open_case: Open, on_duty: None, lena: User, sofia: User
) -> None:
    level = DutyPerson.objects.get(membership=lena.acting).level
    assert sofia.acting is not None
    DutyPerson.objects.create(level=level, membership=sofia.acting)
    open_case(priority="P1")
    alerts = Message.objects.filter(kind="case_alert", context__level=1)
    assert {alert.recipient for alert in alerts} == {lena.acting, sofia.acting}
    assert alerts.count() == 2


def test_nobody_on_duty_is_an_incident_and_the_rung_has_fired(open_case: Open, on_duty: None) -> None:
    DutyPerson.objects.all().delete()
    open_case(priority="P1")
    assert fired() == {1: NOW}
    assert Incident.objects.filter(kind="nobody_on_duty").exists()
    assert early() == {2: NOW + 15 * MINUTE}


@pytest.mark.parametrize("priority", ["P1", "P2"])
def test_an_alert_that_cannot_be_delivered_goes_up_at_once(
    open_case: Open, on_duty: None, priority: str
) -> None:
    open_case(priority=priority)
    delivery = Delivery.objects.get(channel="mail")
    DELIVERY_DEAD.call(delivery=delivery, now=NOW + MINUTE)
    assert early() == {2: NOW + MINUTE}
    assert ladder.fire_due(NOW + MINUTE) == 1


def test_a_dead_alert_that_somebody_else_has_acknowledged_climbs_no_more(
    open_case: Open, on_duty: None, lena: User
) -> None:
    open_case(priority="P1")
    answer(lena, NOW + MINUTE, level=1)
    DELIVERY_DEAD.call(delivery=Delivery.objects.get(channel="mail"), now=NOW + 2 * MINUTE)
    assert early() == {}


def test_a_dead_notice_that_is_no_alert_is_nobodys_business_here(open_case: Open, sam: User) -> None:
    actions.reply(case=open_case(priority="P1"), body="On it", by=sam, now=NOW)
    delivery = Delivery.objects.filter(message__kind="case_reply").latest("pk")
    DELIVERY_DEAD.call(delivery=delivery, now=NOW + MINUTE)
    assert not Rung.objects.filter(early_at=NOW + MINUTE).exists()


def test_a_case_that_moved_on_unseen_is_not_alerted_about(open_case: Open, on_duty: None) -> None:
    case = open_case(priority="P1")
    Case.objects.filter(pk=case.pk).update(restored_at=NOW + MINUTE)
    ladder.fire_due(NOW + 15 * MINUTE)
    assert fired() == {1: NOW}
    assert set(Rung.objects.exclude(level=1).values_list("state", "reason")) == {("cancelled", "overtaken")}


def test_one_case_that_fails_is_an_incident_and_stops_no_other(
    open_case: Open, on_duty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    poor, good = open_case(priority="P1"), open_case(priority="P1")
    tell = ladder.tell

    def failing(kind: str, case: Case, *args: object, **more: object) -> object:
        if case.pk == poor.pk:
            raise RuntimeError("boom")
        return tell(kind, case, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(ladder, "tell", failing)
    assert ladder.fire_due(NOW + 15 * MINUTE) == 2
    assert Rung.objects.get(cycle__case=good, level=2).state == RungState.FIRED
    assert Rung.objects.get(cycle__case=poor, level=2).state == RungState.PENDING
    assert Incident.objects.get().detail == {"case": poor.number, "error": "RuntimeError: boom"}


def test_the_engine_changes_nothing_of_a_case_but_its_story(open_case: Open, on_duty: None) -> None:
    case = open_case(priority="P1")
    before = Case.objects.filter(pk=case.pk).values().get()
    ladder.fire_due(NOW + 15 * MINUTE)
    assert Case.objects.filter(pk=case.pk).values().get() == before
    assert CaseEvent.objects.filter(kind=EventKind.ALERT).count() == 2


def test_a_tick_with_nothing_due_asks_next_to_nothing(open_case: Open, on_duty: None) -> None:
    open_case(priority="P1")
    with CaptureQueriesContext(connection) as asked:
        assert ladder.fire_all_due(NOW + MINUTE) == {"rungs": 0}
    assert len(asked) <= 3


def test_a_pass_goes_on_until_nothing_is_due(
    open_case: Open, on_duty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _case in range(3):
        open_case(priority="P1")
    monkeypatch.setattr(ladder, "BATCH", 2)
    monkeypatch.setattr(ladder.fire_due, "__defaults__", (2,))
    assert ladder.fire_all_due(NOW + 15 * MINUTE) == {"rungs": 3}


def test_the_ladder_runs_at_every_pass_of_the_engine(open_case: Open, on_duty: None) -> None:
    assert "cases.ladder" in jobs.registered()
    open_case(priority="P1")
    assert jobs.run_due(NOW + 15 * MINUTE)["cases.ladder"] == {"rungs": 1}


def test_a_running_ladder_keeps_its_policy_and_the_next_one_takes_the_new(
    open_case: Open, on_duty: None, sam: User, alice: User
) -> None:
    case = open_case(priority="P1")
    old = Policy.objects.get(version=1)
    new = Policy.objects.create(version=2, name="Stricter", activated_at=NOW + MINUTE)
    for row in [*old.rungs.all(), *old.targets.all()]:
        row.pk, row.policy = None, new
        row.save()
    PolicyRung.objects.filter(policy=new, priority="P1", level=2).update(after_minutes=5)
    assert Rung.objects.get(level=2).due_at == NOW + HOUR
    actions.mark_restored(case=case, by=sam, now=NOW + 2 * MINUTE)
    case = actions.deny_restoration(case=case, reason="dark", by=alice, now=NOW + 3 * MINUTE)
    assert (case.policy, Cycle.objects.get(number=2).policy) == (new, new)
    assert Rung.objects.get(cycle__number=2, level=2).due_at == NOW + 8 * MINUTE


def test_nobody_who_works_on_the_case_can_suppress_an_alert(
    open_case: Open, on_duty: None, sam: User
) -> None:
    case = actions.take_case(case=open_case(priority="P1"), by=sam, now=NOW)
    for state in (CaseState.FIX_PENDING, CaseState.MONITORING, CaseState.CUSTOMER_PENDING):
        actions.change_state(case=case, to=state, reason="wait", by=sam, now=NOW)
    actions.assign_case(case=case, to=None, by=sam, now=NOW)
    actions.reply(case=case, body="Nothing to see", by=sam, now=NOW)
    assert ladder.fire_due(NOW + 15 * MINUTE) == 1
