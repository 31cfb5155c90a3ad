"""The demo world, made from its data at one moment: people and products, then a year and more of history."""

import gc
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Final

from django.db import connection, transaction
from django.utils import translation

from accounts import audit
from accounts.actions import end_membership, invite
from accounts.roles import Role
from cases.models import Case
from notifications.models import Incident
from portal.demo import people
from portal.demo.case_history import plan_cases
from portal.demo.clearing import LOADED, check_only_demo, clear, lock
from portal.demo.finishing import finish
from portal.demo.paper_history import plan_papers
from portal.demo.replay import Replay
from portal.demo.running_history import plan_running
from portal.demo.world import World, populate

SEED: Final = 20
_INVITED_DAYS: Final = 2


class HistoryError(Exception):
    """Something went wrong in the history that was told, which the actions themselves had let pass."""


def load(*, now: datetime, seed: int = SEED) -> World:
    """Empty the database and make the demo world of `now` (UTC), all or nothing. The same seed and moment give the
    same world, ids and numbers included.

    Raises: RealDataError if the database holds anything that is not of the demo."""
    now = now.astimezone(UTC).replace(microsecond=0)
    rng = random.Random(seed)  # noqa: S311  # nosec B311  # the demo is to be the same each time
    world = World(now=now, rng=rng, replay=Replay(now=now, rng=rng))
    with transaction.atomic(), translation.override("en"), _haste():
        lock()
        check_only_demo()
        clear()
        populate(world)
        plan_papers(world)
        plan_running(world)
        plan_cases(world)
        _plan_comings_and_goings(world)
        world.replay.run()
        finish(world)
        incident = Incident.objects.order_by("pk").first()
        if incident is not None:
            raise HistoryError(f"{incident.kind}: {incident.detail}")
        cases = Case.objects.count()
        audit.record(LOADED, by=None, subject="demo world", now=now, seed=seed, cases=cases)
    return world


@contextmanager
def _haste() -> Iterator[None]:
    """A load is all or nothing, so nothing inside is ever rolled back alone: no savepoints, a fifth of all
    statements. And it makes rows by the ten thousand, of which hardly any is garbage before its end."""
    thresholds, features = gc.get_threshold(), connection.features
    gc.set_threshold(100_000, 20, 20)
    features.uses_savepoints = False
    try:
        yield
    finally:
        features.uses_savepoints = True
        gc.set_threshold(*thresholds)


def _plan_comings_and_goings(world: World) -> None:
    for person in people.PEOPLE:
        if person.left is not None:
            world.replay.at(world.ago(person.left), partial(_leave, world, person))
    world.replay.at(world.ago(_INVITED_DAYS), partial(_invite, world))


def _leave(world: World, person: people.Person, now: datetime) -> None:
    end_membership(
        membership=world.member(person.key),
        successor=world.member(person.successor),
        reason="Has left the company.",
        by=world.people["alice"],
        now=now,
    )


def _invite(world: World, now: datetime) -> None:
    invite(
        organisation=world.organisations["acme"],
        email="marta@acme.example",
        name="Marta Nilsen",
        roles=[Role.CONTACT],
        by=world.people["alice"],
        now=now,
    )
