"""`manage.py bulk_world --cases N`: a large world for measuring, in an empty database."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bench.world import build


class Command(BaseCommand):
    help = "Fills an empty database with a large world, for benchmarks. Refuses one that has organisations."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--cases", type=int, default=100_000, help="how many cases (default: 100,000)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["cases"] < 1:
            raise CommandError("--cases wants a number from 1.")
        began = time.monotonic()
        try:
            build(
                cases=options["cases"],
                now=timezone.now(),
                say=lambda text: self.stdout.write(f"{time.monotonic() - began:7.1f} s  {text}"),
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{time.monotonic() - began:7.1f} s  vacuumed and analysed")
