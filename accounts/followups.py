"""The only legal way up: named, ordered lists of what other apps do when something happens here.

An upper app adds a function to a list in its `AppConfig.ready()`; the action calls them all inside its
own transaction, and an exception in any of them undoes everything.
"""

from collections.abc import Callable
from typing import Any


class FollowUps:
    """An ordered list of functions that take keywords only, `by=` and `now=` among them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._functions: list[Callable[..., None]] = []

    def add(self, function: Callable[..., None]) -> None:
        if function not in self._functions:
            self._functions.append(function)

    def call(self, **kwargs: Any) -> None:
        for function in self._functions:
            function(**kwargs)

    def registered(self) -> list[str]:
        return [f"{f.__module__}.{f.__qualname__}" for f in self._functions]


# membership: Membership, successor: Membership | None, by: User | None, now: datetime
MEMBERSHIP_ENDED = FollowUps("membership ended")

# membership: Membership, by: User (the invited person), now: datetime
INVITATION_ACCEPTED = FollowUps("invitation accepted")


class FirstPages:
    """Pages of upper apps that a new member has to see before any other, asked for in turn."""

    def __init__(self) -> None:
        self._functions: list[Callable[..., str]] = []

    def add(self, function: Callable[..., str]) -> None:
        if function not in self._functions:
            self._functions.append(function)

    def path_for(self, user: Any) -> str:
        """The path of the first page that somebody has for this person, or the first screen's."""
        return next((path for function in self._functions if (path := function(user=user))), "/")


FIRST_PAGES = FirstPages()
