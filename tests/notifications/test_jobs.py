from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError

from notifications import jobs
from notifications.models import Incident, JobRun
from tests.factories import NOW

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def no_other_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_jobs", {})


@pytest.fixture
def ran(db: None) -> list[datetime]:
    return []


def test_a_claim_runs_at_every_pass(ran: list[datetime]) -> None:
    def claim(now: datetime) -> dict[str, int]:
        ran.append(now)
        return {"fired": 2, "skipped": 0}

    jobs.register("claim", jobs.EVERY_PASS, claim)
    assert jobs.run_due(NOW) == {"claim": {"fired": 2}}
    jobs.run_due(NOW)
    assert ran == [NOW, NOW]
    assert not JobRun.objects.exists()


@pytest.mark.parametrize(
    ("later", "runs"), [(MINUTE - timedelta(seconds=1), 1), (MINUTE, 2), (3 * MINUTE, 2)]
)
def test_a_periodic_job_waits_for_its_time(ran: list[datetime], later: timedelta, runs: int) -> None:
    jobs.register("remind", MINUTE, lambda now: ran.append(now) or {})  # type: ignore[func-returns-value]
    jobs.run_due(NOW)
    jobs.run_due(NOW + later)
    assert len(ran) == runs


def test_two_runners_do_not_double_a_periodic_job(ran: list[datetime]) -> None:
    jobs.register("remind", MINUTE, lambda now: ran.append(now) or {})  # type: ignore[func-returns-value]
    jobs.run_due(NOW)
    job = jobs._jobs["remind"]
    # both have read that the job is due; one of them wins the row
    wins = [jobs._wins(job, NOW, NOW + MINUTE) for _ in range(2)]
    assert wins == [True, False]


def test_a_job_that_fails_is_an_incident_and_stops_no_other(ran: list[datetime]) -> None:
    def fails(now: datetime) -> dict[str, int]:
        raise IntegrityError("out of order")

    jobs.register("broken", jobs.EVERY_PASS, fails)
    jobs.register("sound", jobs.EVERY_PASS, lambda now: ran.append(now) or {})  # type: ignore[func-returns-value]
    assert jobs.run_due(NOW) == {"broken": {"failed": 1}}
    assert ran == [NOW]
    assert Incident.objects.get().detail == {"job": "broken", "error": "IntegrityError: out of order"}


def test_a_name_belongs_to_one_function() -> None:
    def claim(now: datetime) -> dict[str, int]:
        return {}

    jobs.register("claim", MINUTE, claim)
    jobs.register("claim", MINUTE, claim)
    with pytest.raises(ValueError, match="registered twice"):
        jobs.register("claim", 2 * MINUTE, claim)
    assert jobs.registered() == ["claim"]
