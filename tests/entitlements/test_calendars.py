"""Business hours of a site, and when targets are due there."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Organisation
from contracts.errors import violated
from entitlements import targets
from entitlements.calendars import hours_for
from entitlements.clock import ROUND_THE_CLOCK, is_working_time
from entitlements.kinds import Priority
from entitlements.models import BusinessHours, Policy
from tests import factories

SEOUL = ZoneInfo("Asia/Seoul")


def test_a_country_without_hours_of_its_own_has_the_default_in_the_sites_zone(hanbit: Organisation) -> None:
    hours = hours_for(factories.SiteFactory.make(organisation=hanbit))
    assert (hours.zone, hours.start, hours.end) == (SEOUL, time(9), time(17))
    assert is_working_time(datetime(2026, 11, 23, 9, tzinfo=SEOUL), hours)
    assert not is_working_time(datetime(2026, 11, 23, 8, 59, tzinfo=SEOUL), hours)


def test_public_and_added_holidays_are_no_working_days(hanbit: Organisation) -> None:
    BusinessHours.objects.create(
        country="KR", weekdays=[0, 1, 2], opens=time(10), closes=time(16), extra_holidays=[date(2026, 11, 24)]
    )
    hours = hours_for(factories.SiteFactory.make(organisation=hanbit))
    assert is_working_time(datetime(2026, 11, 23, 10, tzinfo=SEOUL), hours)
    assert not is_working_time(datetime(2026, 11, 24, 10, tzinfo=SEOUL), hours)
    assert not is_working_time(datetime(2026, 11, 26, 10, tzinfo=SEOUL), hours)
    assert not is_working_time(datetime(2027, 3, 1, 12, tzinfo=SEOUL), hours)  # Samiljeol, a Monday


@pytest.mark.clause("C15", "C20", "C24")
@pytest.mark.parametrize(
    ("priority", "which", "expected"),
    [
        (Priority.P1, targets.FIRST_RESPONSE, datetime(2026, 11, 21, 13, tzinfo=UTC)),
        (Priority.P1, targets.UPDATE, datetime(2026, 11, 21, 16, tzinfo=UTC)),
        (Priority.P2, targets.FIRST_RESPONSE, datetime(2026, 11, 21, 13, tzinfo=UTC)),
        # Saturday: business hours begin on Monday, 09:00 in Seoul = 00:00 UTC
        (Priority.P3, targets.FIRST_RESPONSE, datetime(2026, 11, 23, 8, tzinfo=UTC)),
        (Priority.P4, targets.FIRST_RESPONSE, datetime(2026, 11, 25, 8, tzinfo=UTC)),
        (Priority.P2, targets.UPDATE, datetime(2026, 11, 23, 8, tzinfo=UTC)),
    ],
)
def test_targets_follow_the_clock_that_the_policy_names(
    priority: Priority, which: str, expected: datetime, hanbit: Organisation
) -> None:
    opened_at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    policy = Policy.objects.in_force_at(opened_at)
    hours = hours_for(factories.SiteFactory.make(organisation=hanbit))
    assert targets.due(policy, priority, which, opened_at, hours) == expected


@pytest.mark.clause("C68")
def test_time_in_which_we_wait_for_the_customer_does_not_count(hanbit: Organisation) -> None:
    opened_at = datetime(2026, 11, 23, 0, tzinfo=UTC)
    policy = Policy.objects.in_force_at(opened_at)
    hours = hours_for(factories.SiteFactory.make(organisation=hanbit))
    pause = (datetime(2026, 11, 23, 1, tzinfo=UTC), datetime(2026, 11, 23, 3, tzinfo=UTC))
    due = targets.due(policy, Priority.P3, targets.FIRST_RESPONSE, opened_at, hours, pauses=[pause])
    assert due == datetime(2026, 11, 24, 2, tzinfo=UTC)
    assert ROUND_THE_CLOCK.minutes_per_day == 1440


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"opens": time(17), "closes": time(9)}, "close_after_they_open"),
        ({"weekdays": [7]}, "weekdays_are_0_to_6"),
        ({"weekdays": []}, "weekdays_are_0_to_6"),
    ],
)
@pytest.mark.django_db
def test_the_database_refuses_hours_that_make_no_sense(changes: dict[str, object], sentence: str) -> None:
    values = {"country": "KR", "weekdays": [0], "opens": time(9), "closes": time(17), **changes}
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        BusinessHours.objects.create(**values)
    assert sentence in violated(refusal.value)
