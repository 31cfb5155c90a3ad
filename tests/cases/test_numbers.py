"""Numbers of cases."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from django.db import connection, transaction

from cases.models import CaseCounter
from cases.numbers import next_number


@pytest.mark.django_db
def test_a_number_is_the_date_in_utc_and_a_counter_of_that_day() -> None:
    late_in_seoul = datetime(2026, 11, 23, 8, 30, tzinfo=timezone(timedelta(hours=9)))
    assert next_number(late_in_seoul) == "2026-1122-0001"
    assert next_number(late_in_seoul) == "2026-1122-0002"
    assert next_number(datetime(2026, 11, 23, tzinfo=UTC)) == "2026-1123-0001"


@pytest.mark.django_db
def test_the_counter_grows_to_five_digits_rather_than_running_out() -> None:
    CaseCounter.objects.create(day=date(2026, 11, 22), last=9998)
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert [next_number(now) for _ in range(3)] == ["2026-1122-9999", "2026-1122-10000", "2026-1122-10001"]


@pytest.mark.django_db(transaction=True)
def test_ten_people_at_the_same_instant_get_ten_numbers() -> None:
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def ask(_n: int) -> str:
        try:
            with transaction.atomic():
                return next_number(now)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as people:
        numbers = Counter(people.map(ask, range(30)))
    assert sorted(numbers) == [f"2026-1122-{n:04d}" for n in range(1, 31)]
