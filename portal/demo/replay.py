"""History told again: what people did, in order, each by its own action at its own time, and what the engine did
between. Whatever was sent in the past stands in its final state, so that nothing of it is ever sent again."""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from django.db import connection

from accounts.models import User
from cases.ladder import fire_due
from cases.workflow import RungState
from entitlements.kinds import HIGH
from notifications.actions import acknowledge
from notifications.models import How, Message

Deed = Callable[[datetime], object]

# As delivery settles them: the inbox in a fraction of a second, a mail in a few. One row per attempt by mail. The
# same question brings what comes next: it is asked after every deed, so it is asked only once.
SETTLE: Final = """
WITH inbox AS (
    UPDATE notifications_delivery
       SET state = 'confirmed', attempts = 1,
           first_attempted_at = next_at + interval '0.2 s', sent_at = next_at + interval '0.2 s'
     WHERE state = 'pending' AND channel = 'inbox'
), mail AS (
    UPDATE notifications_delivery
       SET state = 'sent', attempts = 1, answer = '250 OK', first_attempted_at = next_at + interval '0.3 s',
           sent_at = next_at + make_interval(secs => 0.4 + 0.3 * (id %% 7))
     WHERE state = 'pending' AND channel = 'mail'
 RETURNING id, sent_at
), attempt AS (
    INSERT INTO notifications_attempt (delivery_id, at, owner, outcome, is_settled, answer)
    SELECT id, sent_at, %(owner)s, 'accepted', true, '250 OK' FROM mail ORDER BY id
)
SELECT (SELECT min(rung.next_at)
          FROM cases_rung rung JOIN cases_cycle cycle ON cycle.id = rung.cycle_id
         WHERE rung.state = %(pending)s AND cycle.ended_at IS NULL),
       EXISTS (SELECT FROM notifications_message WHERE id > %(told)s AND needs_acknowledgement)
"""
OWNER: Final = 1


@dataclass(frozen=True)
class Answer:
    """How the duty manager answers the first alert of a case; `after` None means not at all."""

    after: timedelta | None
    note: str = ""


@dataclass
class Replay:
    """Deeds in the order of their times, until `now`. `people` by membership id."""

    now: datetime
    rng: random.Random
    people: dict[int, User] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    _deeds: list[tuple[datetime, int, Deed]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _told: int = 0
    _next_rung: datetime | None = None

    def at(self, when: datetime, deed: Deed) -> None:
        """Have `deed(when)` done in its turn. Raises: ValueError if that is not in the past."""
        if when >= self.now:
            raise ValueError(f"a deed at {when} is not in the past of {self.now}")
        heapq.heappush(self._deeds, (when, next(self._order), deed))

    def run(self) -> None:
        """Do everything; at the end, what the engine had to do by `now` is done too."""
        while self._deeds:
            when, _order, deed = heapq.heappop(self._deeds)
            if self._climb(when):
                heapq.heappush(self._deeds, (when, _order, deed))
                continue
            deed(when)
            self._after()
        while self._climb(self.now):
            if self._deeds:
                self.run()

    def _climb(self, until: datetime) -> bool:
        """Fire the rungs that are due next, if that is before `until`; whether there were any."""
        at = self._next_rung
        if at is None or at > until:
            return False
        if not fire_due(at):
            raise RuntimeError(f"rungs due at {at} cannot be fired")
        self._after()
        return True

    def _after(self) -> None:
        """Deliver what was written, and let people answer the alerts among it."""
        with connection.cursor() as cursor:
            cursor.execute(SETTLE, {"owner": OWNER, "pending": RungState.PENDING, "told": self._told})
            self._next_rung, has_alerts = cursor.fetchone()
        if not has_alerts:
            return
        alerts = Message.objects.filter(pk__gt=self._told, needs_acknowledgement=True)
        for message in alerts.order_by("pk"):
            self._told = message.pk
            self._plan_answer(message)

    def _plan_answer(self, message: Message) -> None:
        context = message.context
        is_first = context["level"] == 1 and context["cycle"] == 1
        answer = self.answers.get(context["number"]) if is_first else None
        if answer is None:
            minutes = self.rng.randint(3, 11) if context["priority"] in HIGH else self.rng.randint(20, 90)
            answer = Answer(timedelta(minutes=minutes))
        if answer.after is None or message.created_at + answer.after >= self.now:
            return
        by, note = self.people[message.recipient_id or 0], answer.note
        self.at(
            message.created_at + answer.after,
            lambda when: acknowledge(message=message, by=by, how=How.PAGE, note=note, now=when),
        )
