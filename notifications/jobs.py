"""Jobs that run on the engine: upper apps register theirs in `AppConfig.ready()`, the runner calls them.

A job with no interval is a claim of what is due and runs at every pass, in several runners at once; it must
win its rows by itself. A periodic one is won by a conditional update, so that two runners do not double it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import Error, connection

from notifications.models import Incident, JobRun

log = logging.getLogger(__name__)

EVERY_PASS = timedelta(0)


@dataclass(frozen=True)
class Job:
    name: str
    every: timedelta
    function: Callable[[datetime], dict[str, int]]


_jobs: dict[str, Job] = {}


def register(name: str, every: timedelta, function: Callable[[datetime], dict[str, int]]) -> None:
    """Have `function(now)` run every so often; it gives back what it did, counted by word.

    Raises: ValueError if the name is taken by another function."""
    job = Job(name, every, function)
    if _jobs.get(name, job) != job:
        raise ValueError(f"The job {name} is registered twice.")
    _jobs[name] = job


def registered() -> list[str]:
    return sorted(_jobs)


def run_due(now: datetime) -> dict[str, dict[str, int]]:
    """Run what is due at `now` (UTC); by job, what it did, jobs with nothing to tell left out.

    A job that fails is an incident and stops no other. Raises: django.db.Error if the database is gone."""
    last = dict(JobRun.objects.values_list("name", "last_at")) if _has_periodic() else {}
    done: dict[str, dict[str, int]] = {}
    for job in _jobs.values():
        if job.every > EVERY_PASS and not _wins(job, last.get(job.name), now):
            continue
        told = {word: count for word, count in _run(job, now).items() if count}
        if told:
            done[job.name] = told
    return done


def _has_periodic() -> bool:
    return any(job.every > EVERY_PASS for job in _jobs.values())


def _wins(job: Job, last_at: datetime | None, now: datetime) -> bool:
    """Whether this runner is the one that runs the job now."""
    if last_at is None:
        row = JobRun(name=job.name, last_at=now - job.every)
        JobRun.objects.bulk_create([row], ignore_conflicts=True)
    elif last_at > now - job.every:
        return False
    won = JobRun.objects.filter(name=job.name, last_at__lte=now - job.every).update(last_at=now)
    return won == 1


def _run(job: Job, now: datetime) -> dict[str, int]:
    try:
        return job.function(now)
    except Exception as error:
        if isinstance(error, Error) and not _database_answers():
            raise
        log.exception("The job %s failed", job.name)
        detail = {"job": job.name, "error": f"{type(error).__name__}: {error}"}
        Incident.objects.create(at=now, kind="job_failed", detail=detail)
        return {"failed": 1}


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True
