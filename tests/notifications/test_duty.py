from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.actions import end_membership
from accounts.models import User
from notifications.duty import is_absent, is_within_hours, on_duty
from notifications.models import DutyLevel, DutyPerson, Incident

SUNDAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def first(db: None) -> DutyLevel:
    return DutyLevel.objects.create(level=1, name="Duty manager")


@pytest.fixture
def second(db: None) -> DutyLevel:
    return DutyLevel.objects.create(level=2, name="Director")


def duty(level: DutyLevel, user: User, **values: Any) -> DutyPerson:
    if isinstance(values.get("delegate"), User):
        values["delegate"] = values["delegate"].acting
    return DutyPerson.objects.create(level=level, membership=user.acting, **values)


def names(level: int = 1, at: datetime = SUNDAY) -> list[str]:
    return [m.user.name.split()[0] for m in on_duty(level=level, at=at)]


@pytest.mark.clause("C22")
def test_everybody_of_the_level_who_is_on_duty_is_alerted(first: DutyLevel, lena: User, omar: User) -> None:
    duty(first, lena)
    duty(first, omar)
    assert names() == ["Lena", "Omar"]
    assert not Incident.objects.exists()


def test_hours_are_read_on_the_clock_of_the_person(first: DutyLevel, lena: User, omar: User) -> None:
    duty(first, lena, starts=time(9), ends=time(18), zone="Asia/Seoul")  # 00:00 to 09:00 UTC
    duty(first, omar, starts=time(9), ends=time(18), zone="Europe/Berlin")  # 08:00 to 17:00 UTC in winter
    assert names(at=SUNDAY.replace(hour=3)) == ["Lena"]
    assert names(at=SUNDAY.replace(hour=8, minute=30)) == ["Lena", "Omar"]
    assert names(at=SUNDAY.replace(hour=9)) == ["Omar"]


WORKDAYS = [0, 1, 2, 3, 4]


def utc(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("starts", "ends", "weekdays", "at", "expected"),
    [
        (time(9), time(17), WORKDAYS, utc(2026, 11, 20, 8, 59, 59), False),
        (time(9), time(17), WORKDAYS, utc(2026, 11, 20, 9), True),
        (time(9), time(17), WORKDAYS, utc(2026, 11, 20, 16, 59, 59), True),
        (time(9), time(17), WORKDAYS, utc(2026, 11, 20, 17), False),
        (time(9), time(17), WORKDAYS, utc(2026, 11, 21, 12), False),
        (time(22), time(6), WORKDAYS, utc(2026, 11, 20, 22), True),
        (time(22), time(6), WORKDAYS, utc(2026, 11, 21, 5, 59), True),
        (time(22), time(6), WORKDAYS, utc(2026, 11, 21, 6), False),
        (time(22), time(6), WORKDAYS, utc(2026, 11, 21, 22), False),
        (time(22), time(6), WORKDAYS, utc(2026, 11, 23, 3), False),
        (None, None, WORKDAYS, utc(2026, 11, 20, 23, 59), True),
        (None, None, WORKDAYS, utc(2026, 11, 21, 0), False),
    ],
)
def test_hours_have_half_open_ends_and_may_pass_midnight(
    starts: time | None, ends: time | None, weekdays: list[int], at: datetime, expected: bool
) -> None:
    person = DutyPerson(starts=starts, ends=ends, weekdays=weekdays, zone="UTC")
    assert is_within_hours(person, at) is expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, False),
        (SUNDAY, None, True),
        (SUNDAY + timedelta(seconds=1), None, False),
        (SUNDAY - timedelta(days=1), SUNDAY, False),
        (SUNDAY - timedelta(days=1), SUNDAY + timedelta(seconds=1), True),
    ],
)
def test_an_absence_is_half_open(start: datetime | None, end: datetime | None, expected: bool) -> None:
    assert is_absent(DutyPerson(absent_from=start, absent_until=end), SUNDAY) is expected


def test_the_delegate_stands_in_for_somebody_who_is_away(
    first: DutyLevel, lena: User, omar: User, sam: User
) -> None:
    duty(first, lena, delegate=sam, absent_from=SUNDAY - timedelta(days=1))
    duty(first, omar)
    assert names() == ["Sam", "Omar"]


def test_a_delegate_who_is_on_duty_anyway_is_alerted_once(first: DutyLevel, lena: User, omar: User) -> None:
    duty(first, lena, delegate=omar, absent_from=SUNDAY)
    duty(first, omar)
    assert names() == ["Omar"]


def test_nobody_left_means_everybody_and_an_incident(
    first: DutyLevel, lena: User, omar: User, sam: User
) -> None:
    duty(first, lena, absent_from=SUNDAY, delegate=sam)
    duty(first, sam, absent_from=SUNDAY, starts=time(9), ends=time(17))
    duty(first, omar, starts=time(1), ends=time(2))
    assert names() == ["Lena", "Sam", "Omar"]
    incident = Incident.objects.get()
    assert (incident.kind, incident.detail, incident.at) == ("nobody_on_duty", {"level": 1}, SUNDAY)


def test_a_level_without_a_living_soul_passes_the_alert_upwards(
    first: DutyLevel, second: DutyLevel, lena: User, omar: User
) -> None:
    duty(first, lena)
    duty(second, omar)
    User.objects.filter(pk=lena.pk).update(is_active=False)
    assert names() == ["Omar"]
    assert Incident.objects.count() == 1


def test_no_level_at_all_is_an_incident_at_each(db: None) -> None:
    assert names() == []
    assert Incident.objects.count() == 4


def test_who_leaves_hands_the_duty_to_the_delegate(
    first: DutyLevel, lena: User, omar: User, sam: User, ada: User
) -> None:
    duty(first, lena, delegate=sam)
    duty(first, omar, delegate=lena)
    assert lena.acting is not None
    end_membership(membership=lena.acting, successor=None, reason="left", by=ada, now=timezone.now())
    assert names() == ["Sam", "Omar"]
    assert not DutyPerson.objects.filter(delegate=lena.acting).exists()
    assert not DutyPerson.objects.filter(membership=lena.acting).exists()


def test_a_duty_that_its_heir_has_already_falls_away(
    first: DutyLevel, lena: User, omar: User, ada: User
) -> None:
    duty(first, lena, delegate=omar)
    duty(first, omar)
    assert lena.acting is not None
    end_membership(membership=lena.acting, successor=None, reason="left", by=ada, now=timezone.now())
    assert names() == ["Omar"]
    assert DutyPerson.objects.count() == 1
