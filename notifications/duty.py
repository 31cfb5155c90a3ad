"""Who of a management level is on duty (C22): hours, absences, delegates; and never nobody."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.models import Membership
from notifications.models import DutyPerson, Incident

TOP_LEVEL = 4


def on_duty(*, level: int, at: datetime) -> list[Membership]:
    """The people to alert at a level at this moment (UTC), each once.

    A delegate stands in for somebody who is absent or has left. Nobody left means everybody of the level who
    is still with us, and an incident; a level without a living soul passes the alert to the one above it."""
    people = list(
        DutyPerson.objects.filter(level__level=level)
        .select_related(
            "membership__user", "membership__organisation", "delegate__user", "delegate__organisation"
        )
        .order_by("pk")
    )
    away = {p.membership_id for p in people if is_absent(p, at)}
    standing = [_standing_in(p, away) for p in people if is_within_hours(p, at)]
    found = _each_once(m for m in standing if m is not None)
    if found:
        return found
    Incident.objects.create(at=at, kind="nobody_on_duty", detail={"level": level})
    everybody = [m for p in people for m in (p.membership, p.delegate) if m is not None and m.is_active]
    if everybody or level >= TOP_LEVEL:
        return _each_once(everybody)
    return on_duty(level=level + 1, at=at)


def _standing_in(person: DutyPerson, away: set[int]) -> Membership | None:
    for candidate in (person.membership, person.delegate):
        if candidate is not None and candidate.is_active and candidate.pk not in away:
            return candidate
    return None


def _each_once(memberships: Iterable[Membership]) -> list[Membership]:
    return list({m.pk: m for m in memberships}.values())


def is_absent(person: DutyPerson, at: datetime) -> bool:
    """Whether the person is away; the absence is half-open, and without an end it lasts."""
    if person.absent_from is None or at < person.absent_from:
        return False
    return person.absent_until is None or at < person.absent_until


def is_within_hours(person: DutyPerson, at: datetime) -> bool:
    """Whether `at` lies in the person's hours, read on the clock on their wall, half-open."""
    local = at.astimezone(ZoneInfo(person.zone))
    if person.starts is None or person.ends is None:
        return local.weekday() in person.weekdays
    clock = local.time()
    if person.starts < person.ends:
        return person.starts <= clock < person.ends and local.weekday() in person.weekdays
    if clock >= person.starts:
        return local.weekday() in person.weekdays
    return clock < person.ends and _day_before(local.date()).weekday() in person.weekdays


def _day_before(day: date) -> date:
    return day - timedelta(days=1)
