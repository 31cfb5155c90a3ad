"""`manage.py demo_world`: load the demo world, or load it anew for this moment."""

import time
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from portal.demo.build import SEED, load
from portal.demo.clearing import RealDataError, last_load

FRESH: Final = timedelta(hours=6)
"""So long a loaded world is left as it is by `--if-needed`; later its alerts would come as a backlog."""


class Command(BaseCommand):
    help = "Loads the demo world for this moment. Refuses a database with real data."
    # `make run` waits for this; the web server, which starts beside it, and `make check` look at the system
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--now", help="the moment to load for, ISO 8601 with zone (default: this one)")
        parser.add_argument("--seed", type=int, default=SEED, help="another seed gives another world")
        parser.add_argument(
            "--if-needed",
            action="store_true",
            help="leave a world that was loaded in the last six hours, and a database with real data",
        )

        parser.add_argument("--migrate", action="store_true", help="bring the tables up to date first")

    def handle(self, *args: Any, **options: Any) -> None:
        now = _moment(options["now"])
        if options["migrate"]:
            call_command("migrate", interactive=False, verbosity=0)
        if options["if_needed"] and _is_fresh(now):
            self.stdout.write("The demo world is there.")
            return
        settings.DEBUG = False  # else each of the thousands of statements is formatted for a page nobody sees
        began = time.monotonic()
        try:
            load(now=now, seed=options["seed"])
        except RealDataError as error:
            if options["if_needed"]:
                self.stdout.write(str(error))
                return
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"The demo world of {now:%Y-%m-%d %H:%M} UTC is there ({time.monotonic() - began:.1f} s)."
        )


def _moment(text: str | None) -> datetime:
    """Raises: CommandError for what is no instant."""
    if text is None:
        return timezone.now()
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CommandError(
            f"--now wants an instant with its zone, such as 2026-11-22T09:41:00Z, not {text!r}."
        )
    return moment.astimezone(UTC)


def _is_fresh(now: datetime) -> bool:
    loaded = last_load()
    return loaded is not None and abs(now - loaded.at) < FRESH
