"""How the cases went: each conversation opened, answered and closed by the real actions, at its times."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from cases import actions
from cases.errors import NotCovered
from cases.models import Case
from cases.workflow import CaseState
from entitlements.kinds import Priority
from portal.demo import attachments
from portal.demo.conversations import Conversation, Step, conversations
from portal.demo.replay import Answer
from portal.demo.world import World

Deed = Callable[..., object]

REFUSED_DAYS: Final = 3
"""So many days ago somebody without a contract tried to open a case."""


def plan_cases(world: World) -> None:
    """Put all cases into the replay, and the one that was refused."""
    for conversation in conversations(world.now, world.rng):
        world.replay.at(conversation.at, partial(_open, world, conversation))
    world.replay.at(world.ago(REFUSED_DAYS), partial(_be_refused, world))


def _open(world: World, story: Conversation, now: datetime) -> None:
    caller = world.people[story.by]
    case = actions.open_case(
        organisation=world.organisations[story.customer],
        site=world.sites[story.customer, story.site],
        software=world.software[story.software],
        release=world.releases[story.software, story.release],
        synopsis=story.synopsis,
        description=story.description,
        priority=story.priority,
        environment=story.environment,
        backup_confirmed=True,
        activity=story.activity,
        access=story.access,
        customer_reference=story.reference,
        watchers=[world.member(key) for key in story.watchers],
        is_restricted=story.restricted,
        contact=world.member(story.by),
        uploads=_uploads(world, story.files, caller, now),
        by=world.people[story.taken_by] if story.taken_by else caller,
        now=now,
    )
    if story.never_acknowledged or story.acknowledged is not None:
        after = None if story.never_acknowledged else story.acknowledged
        world.replay.answers[case.number] = Answer(after, story.acknowledged_note)
    for step in story.steps:
        world.replay.at(step.at, partial(_do, world, case, step))


def _uploads(world: World, names: Iterable[str], by: User, now: datetime) -> list[SimpleUploadedFile]:
    zone = ZoneInfo(by.time_zone)
    return [
        SimpleUploadedFile(name, attachments.content(name, at=now, zone=zone, rng=world.rng))
        for name in names
    ]


def _do(world: World, case: Case, step: Step, now: datetime) -> None:
    by = world.people[step.by]
    words: dict[str, Any] = {}
    if step.do in ("reply", "note"):
        words["uploads"] = _uploads(world, step.files, by, now)
    _VERBS[step.do](step, case=case, by=by, now=now, **words)


def _reply(step: Step, **who: Any) -> object:
    return actions.reply(body=step.text, **who)


def _note(step: Step, **who: Any) -> object:
    return actions.add_note(body=step.text, **who)


def _take(_step: Step, **who: Any) -> object:
    return actions.take_case(**who)


def _state(step: Step, **who: Any) -> object:
    return actions.change_state(to=step.to, reason=step.text, **who)


def _wait(step: Step, **who: Any) -> object:
    return actions.change_state(to=CaseState.CUSTOMER_PENDING, reason=step.text, **who)


def _raise(step: Step, **who: Any) -> object:
    return actions.raise_priority(to=Priority(step.to), reason=step.text, **who)


def _lower(step: Step, **who: Any) -> object:
    return actions.lower_priority(to=Priority(step.to), reason=step.text, **who)


def _restored(step: Step, **who: Any) -> object:
    return actions.mark_restored(note=step.text, **who)


def _deny(step: Step, **who: Any) -> object:
    return actions.deny_restoration(reason=step.text, **who)


def _propose(step: Step, **who: Any) -> object:
    return actions.propose_resolution(resolution=step.text, cause=step.cause, **who)


def _accept(_step: Step, **who: Any) -> object:
    return actions.accept_resolution(**who)


def _reject(step: Step, **who: Any) -> object:
    return actions.reject_resolution(reason=step.text, **who)


def _ask_closure(_step: Step, **who: Any) -> object:
    return actions.request_closure(**who)


def _close(step: Step, **who: Any) -> object:
    return actions.close_case(resolution=step.text, cause=step.cause, **who)


def _reopen(step: Step, **who: Any) -> object:
    return actions.reopen_case(reason=step.text, **who)


def _escalate(step: Step, **who: Any) -> object:
    return actions.request_escalation(reason=step.reason, note=step.text, **who)


_VERBS: Final[dict[str, Deed]] = {
    "reply": _reply,
    "note": _note,
    "take": _take,
    "state": _state,
    "wait": _wait,
    "raise": _raise,
    "lower": _lower,
    "restored": _restored,
    "deny": _deny,
    "propose": _propose,
    "accept": _accept,
    "reject": _reject,
    "ask_closure": _ask_closure,
    "close": _close,
    "reopen": _reopen,
    "escalate": _escalate,
}


def _be_refused(world: World, now: datetime) -> None:
    """What a lapsed contract brings: the attempt is on record, and nothing else."""
    try:
        actions.open_case(
            organisation=world.organisations["rival"],
            site=world.sites["rival", "Frankfurt"],
            software=world.software["pathkeeper"],
            release=world.releases["pathkeeper", "21.4R3-S5"],
            synopsis="Paths to Prague are computed twice",
            description="Since this morning each path to Prague is in the table twice.",
            priority=Priority.P2,
            environment="production",
            backup_confirmed=True,
            by=world.people["mallory"],
            now=now,
        )
    except NotCovered:
        return
    raise RuntimeError("a case was opened under a contract that has lapsed")
