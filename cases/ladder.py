"""The management ladder of a case: its cycles and rungs, how they fire, climb, wait and end (C22).

The arithmetic stands in `escalation`; here are the rows. Whoever calls holds the case's row locked: opening,
raising, restoring, acknowledging and the engine's claim all wait for each other there, case by case. Nobody
who works on a case can suppress an alert."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from cases.escalation import FiredRung, RungRule, next_climb_due, replan
from cases.models import Case, Cycle, Rung
from cases.notices import ALERT, ALERT_URGENCY, tell
from cases.timeline import pauses_of, record_event
from cases.workflow import CaseState, EventKind, RungState
from entitlements.calendars import hours_for
from entitlements.clock import Pause
from entitlements.kinds import HIGH, Priority
from entitlements.models import Policy, PolicyRung
from notifications.duty import on_duty
from notifications.models import Delivery, Incident, Message

log = logging.getLogger(__name__)

BATCH: Final = 100
_COLUMNS: Final = (
    "state",
    "due_at",
    "early_at",
    "clock",
    "acknowledge_minutes",
    "fired_at",
    "fired_early",
    "reason",
)

# why a rung will not fire any more: what stands in the row, and its words
REASONS: Final = {
    "restored": _("service restored"),
    "closed": _("case closed"),
    "new_cycle": _("a new ladder has started"),
    "lowered": _("the priority was lowered"),
    "overtaken": _("the case had moved on"),
}


def running_cycle(case: Case) -> Cycle | None:
    return Cycle.objects.filter(case=case, ended_at=None).first()


def start_cycle(
    case: Case, *, started_by: EventKind, now: datetime, started_at: datetime | None = None
) -> Cycle:
    """Start the ladder of the case's priority, by the policy in force, and alert every level that is due at once.

    Its hours count from `now`, or from `started_at` where a raise takes back a lowering. A running cycle ends."""
    last = 0
    if started_by != EventKind.OPENED:
        cancel_ladder(case, reason="new_cycle", now=now, state=RungState.SUPERSEDED)
        last = Cycle.objects.filter(case=case).aggregate(last=Max("number"))["last"] or 0
        case.policy = Policy.objects.in_force_at(now)
    cycle = Cycle.objects.create(
        case=case,
        number=last + 1,
        priority=case.priority,
        policy=case.policy,
        started_at=started_at or now,
        started_by=started_by,
    )
    rungs = _planned(case, cycle, [], now, pauses_of(case) if last else ())
    Rung.objects.bulk_create(rungs)
    _fire(case, cycle, rungs, now)
    _schedule_climb(cycle, rungs)
    return cycle


def replan_ladder(case: Case, *, now: datetime) -> None:
    """The running cycle by the case's priority and pauses as they are now; what is due by that fires now.

    Levels that have fired stay fired; pending ones that the priority does not have are superseded."""
    cycle = running_cycle(case)
    if cycle is None:
        return
    if cycle.priority != case.priority:
        cycle.priority, cycle.lowered_at = case.priority, now
        cycle.save(update_fields=["priority", "lowered_at"])
    known = list(cycle.rungs.order_by("level"))
    rungs = _planned(case, cycle, known, now, pauses_of(case))
    Rung.objects.bulk_update([rung for rung in known if rung.pk], _COLUMNS)
    Rung.objects.bulk_create([rung for rung in rungs if rung.pk is None])
    _fire(case, cycle, rungs, now)
    _schedule_climb(cycle, rungs)


def _planned(
    case: Case, cycle: Cycle, known: Sequence[Rung], now: datetime, pauses: Sequence[Pause]
) -> list[Rung]:
    """The rungs of the cycle as they should be: `known` ones changed in place, missing ones made, none saved."""
    rows = PolicyRung.objects.filter(policy_id=cycle.policy_id, priority=case.priority)
    rules = {
        row.level: RungRule(row.level, row.after_minutes, row.clock, row.acknowledge_minutes) for row in rows
    }
    by_level = {rung.level: rung for rung in known}
    fired = [rung.level for rung in known if rung.state == RungState.FIRED]
    plan = replan(
        list(rules.values()),
        priority=case.priority,
        cycle_start=cycle.started_at,
        hours=hours_for(case.site),
        pauses=pauses,
        fired_levels=fired,
        now=now,
    )
    for step in plan:
        rung = by_level.setdefault(step.level, Rung(cycle=cycle, level=step.level))
        rung.state, rung.reason, rung.due_at = RungState.PENDING, "", step.due_at
        rung.clock = rules[step.level].clock
    kept = {step.level for step in plan}
    for level, rung in by_level.items():
        rule = rules.get(level)
        rung.early_at = None
        rung.acknowledge_minutes = rule.acknowledge_minutes if rule else None
        if rung.state == RungState.PENDING and level not in kept:
            rung.state, rung.reason = RungState.SUPERSEDED, "lowered"
    return [by_level[level] for level in sorted(by_level)]


def cancel_ladder(case: Case, *, reason: str, now: datetime, state: RungState = RungState.CANCELLED) -> int:
    """End the running cycle: what is pending will not fire. `reason` is a key of REASONS. How many that were."""
    cycles = Cycle.objects.filter(case=case, ended_at=None)
    pending = Rung.objects.pending().filter(cycle__in=cycles)
    count = pending.update(state=state, reason=reason, early_at=None)
    cycles.update(ended_at=now)
    return count


def fire_due(now: datetime, limit: int = BATCH) -> int:
    """Alert for up to `limit` rungs whose hour has come; how many were claimed. Several engines may do so at once.

    A rung is claimed together with its case; both are passed over where somebody holds either, until the next
    pass. One case that fails is an incident and stops no other."""
    with transaction.atomic():
        claimed = list(
            Rung.objects.due(now)
            .filter(cycle__ended_at=None)
            .select_related("cycle__case__organisation", "cycle__case__software")
            .defer("cycle__case__search", "cycle__case__description")
            .select_for_update(of=("self", "cycle__case"), skip_locked=True, no_key=True)
            .order_by("next_at", "pk")[:limit]
        )
        claimed.sort(key=lambda rung: (rung.cycle_id, rung.level))
        for _pk, rungs in groupby(claimed, key=lambda rung: rung.cycle_id):
            _fire_claimed(list(rungs), now)
    return len(claimed)


def fire_all_due(now: datetime) -> dict[str, int]:
    """The engine's job: batch after batch until nothing is due, or this pass has done its share."""
    total = 0
    for _batch in range(10):
        claimed = fire_due(now)
        total += claimed
        if claimed < BATCH:
            break
    return {"rungs": total}


def _fire_claimed(rungs: list[Rung], now: datetime) -> None:
    cycle = rungs[0].cycle
    case = cycle.case
    try:
        with transaction.atomic():
            if wants_alerts(case):
                _fire(case, cycle, rungs, now)
                _schedule_climb(cycle, list(cycle.rungs.all()))
            else:
                cancel_ladder(case, reason="overtaken", now=now)
    except Exception as error:
        log.exception("The ladder of %s failed", case.number)
        detail = {"case": case.number, "error": f"{type(error).__name__}: {error}"}
        Incident.objects.create(at=now, kind="ladder_failed", detail=detail)


def wants_alerts(case: Case) -> bool:
    """Until service is restored or the case is closed (C22)."""
    return case.state != CaseState.CLOSED and case.restored_at is None


def _fire(case: Case, cycle: Cycle, rungs: Iterable[Rung], now: datetime) -> None:
    """Alert the levels among `rungs` that are due."""
    due = [rung for rung in rungs if rung.state == RungState.PENDING and _is_due(rung, now)]
    for rung in due:
        _alert(case, cycle, rung, now)
    Rung.objects.bulk_update(due, ["state", "fired_at", "fired_early"])


def _is_due(rung: Rung, now: datetime) -> bool:
    return any(at is not None and at <= now for at in (rung.due_at, rung.early_at))


def _alert(case: Case, cycle: Cycle, rung: Rung, now: datetime) -> None:
    rung.state, rung.fired_at = RungState.FIRED, now
    rung.fired_early = rung.due_at is None or rung.due_at > now
    people = on_duty(level=rung.level, at=now)
    about = {"level": rung.level, "cycle": cycle.number, "rung": rung.pk, "is_early": rung.fired_early}
    tell(
        ALERT, case, people, by=None, now=now, dedupe=f"{cycle.number}:{rung.level}",
        urgency=ALERT_URGENCY.get(Priority(case.priority)),
        case_id=case.pk, started_by=cycle.started_by, opened_at=case.opened_at, **about,
    )  # fmt: skip
    names = [person.user.name for person in people]
    record_event(
        case, EventKind.ALERT, by=None, now=now, detail={**about, "priority": case.priority, "people": names}
    )


def _schedule_climb(cycle: Cycle, rungs: Sequence[Rung]) -> None:
    """Each alert that nobody has acknowledged yet waits its time, then the level above is alerted early.

    `rungs` are all of the cycle."""
    waiting = [r for r in rungs if r.state == RungState.FIRED and r.acknowledged_at is None]
    climb = next_climb_due(
        [FiredRung(rung.level, rung.fired_at) for rung in waiting if rung.fired_at],
        (),
        {rung.level: rung.acknowledge_minutes for rung in waiting},
        [rung.level for rung in rungs if rung.state in (RungState.PENDING, RungState.FIRED)],
    )
    if climb:
        level, at = climb
        cycle.rungs.filter(level=level, state=RungState.PENDING).update(early_at=at)


def _alert_of(message: Message) -> tuple[Case, Cycle, int] | None:
    """What an alert was about, with the case's row locked; None for any other message."""
    if message.kind != ALERT:
        return None
    case = Case.objects.locked(message.context["case_id"])
    return case, case.cycles.get(number=message.context["cycle"]), message.context["level"]


def on_acknowledged(*, message: Message, by: User, now: datetime) -> None:
    """Follow-up of MESSAGE_ACKNOWLEDGED: it covers its level and those below, and ends the early climb (C22).

    Timed rungs go on; one that fires later waits for an acknowledgement of its own."""
    alert = _alert_of(message)
    if alert is None:
        return
    case, cycle, level = alert
    covered = cycle.rungs.filter(level__lte=level, state=RungState.FIRED, acknowledged_at=None)
    covered.update(acknowledged_at=now, acknowledged_by=by.acting)
    cycle.rungs.filter(state=RungState.PENDING).update(early_at=None)
    record_event(case, EventKind.ACKNOWLEDGED, by=by, now=now, detail={"level": level, "cycle": cycle.number})


def on_delivery_dead(*, delivery: Delivery, now: datetime) -> None:
    """Follow-up of DELIVERY_DEAD: an alert of P1 or P2 that cannot be delivered goes up to the next level at once."""
    alert = _alert_of(delivery.message)
    if alert is None:
        return
    case, cycle, level = alert
    answered = cycle.rungs.filter(level__gte=level, acknowledged_at__isnull=False).exists()
    if answered or cycle.ended_at is not None or case.priority not in HIGH:
        return
    above = cycle.rungs.filter(level__gt=level).exclude(state=RungState.SUPERSEDED).order_by("level").first()
    if above is not None and above.state == RungState.PENDING:
        earlier = Q(early_at=None) | Q(early_at__gt=now)
        cycle.rungs.filter(earlier, pk=above.pk).update(early_at=now)
