"""The conversations of the demo's cases: read from `conversations/*.toml`, their times set for one moment.

`opened` is how long ago (`3d4h`), or a day and a time on the site's clock (`97d 14:25`; questions and minor
problems then move back from a weekend to Friday). A step comes `after` the one before it, or `until` so long
before the moment of loading. `acknowledged` is when the duty manager answered the first alert, or `never`.
"""

import random
import re
import tomllib
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from contracts.terms import first_instant
from entitlements.kinds import HIGH
from portal.demo.people import PLACES

FOLDER: Final = Path(__file__).with_name("conversations")
# What is younger keeps its times to the minute: the story of the day is told by them.
STEADY: Final = timedelta(days=2)
_DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")
_FRIDAY: Final = 4


@dataclass(frozen=True, kw_only=True)
class Step:
    """What somebody did. `text` is the words, the reason, or the resolution of the verb `do`."""

    at: datetime
    by: str
    do: str
    text: str = ""
    to: str = ""
    cause: str = ""
    reason: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A case. `taken_by` is the engineer who entered it from a telephone call."""

    customer: str
    software: str
    release: str
    site: str
    at: datetime
    by: str
    priority: str
    synopsis: str
    description: str
    steps: tuple[Step, ...]
    environment: str = "production"
    reference: str = ""
    activity: str = ""
    access: str = ""
    watchers: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    restricted: bool = False
    taken_by: str = ""
    acknowledged: timedelta | None = None
    never_acknowledged: bool = False
    acknowledged_note: str = ""


@dataclass
class _Reader:
    now: datetime
    rng: random.Random
    zones: dict[tuple[str, str], ZoneInfo] = field(
        default_factory=lambda: {(p.organisation, p.name): ZoneInfo(p.zone) for p in PLACES}
    )

    def conversation(self, row: dict[str, Any]) -> Conversation:
        at, acknowledged = self.opened(row), row.pop("acknowledged", "")
        del row["opened"]
        return Conversation(
            at=at,
            steps=self.steps(row.pop("steps"), at),
            description=row.pop("description").strip(),
            watchers=tuple(row.pop("watchers", ())),
            files=tuple(row.pop("files", ())),
            acknowledged=duration(acknowledged) if acknowledged not in ("", "never") else None,
            never_acknowledged=acknowledged == "never",
            **row,
        )

    def opened(self, row: dict[str, Any]) -> datetime:
        ago, _, wall = row["opened"].partition(" ")
        if not wall:
            return self.now - duration(ago)
        zone = self.zones[row["customer"], row["site"]]
        day = (self.now - duration(ago)).astimezone(zone).date()
        if row["priority"] not in HIGH:
            day -= timedelta(days=max(0, day.weekday() - _FRIDAY))
        return first_instant(day, zone, time.fromisoformat(wall)) + timedelta(minutes=self.rng.randint(0, 19))

    def steps(self, rows: list[dict[str, Any]], opened: datetime) -> tuple[Step, ...]:
        at, steps = opened, []
        is_steady = self.now - opened < STEADY
        for row in rows:
            after, until = row.pop("after", ""), row.pop("until", "")
            wait = duration(after) * (1.0 if is_steady else self.rng.uniform(0.92, 1.12))
            before, at = at, self.now - duration(until) if until else at + wait
            at = at.replace(microsecond=0)
            if not before <= at < self.now:
                raise ValueError(f"a step of the case opened {opened:%Y-%m-%d %H:%M} is out of order: {row}")
            row["text"] = row.get("text", "").strip()
            row["files"] = tuple(row.pop("files", ()))
            steps.append(Step(at=at, **row))
        return tuple(steps)


def conversations(now: datetime, rng: random.Random) -> list[Conversation]:
    """All cases, oldest first. Raises: ValueError for a step that is not between the one before it and `now`."""
    reader = _Reader(now, rng)
    rows = [
        row
        for path in sorted(FOLDER.glob("*.toml"))
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
    ]
    found = [reader.conversation(row) for row in rows]
    return sorted(found, key=lambda conversation: (conversation.at, conversation.synopsis))


def duration(text: str) -> timedelta:
    """`1d2h30m` as a duration. Raises: ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"not a duration: {text!r}")
    days, hours, minutes = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)
