import json
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from notifications import jobs
from notifications.delivery import run_until_idle
from notifications.owner import LeaseOwner

LONGEST_SECONDS = 60.0


class Command(BaseCommand):
    help = "One pass of the engine: run what is due, deliver what is due, print what was done as JSON."

    def handle(self, *args: Any, **options: Any) -> None:
        done = jobs.run_due(timezone.now())
        with LeaseOwner() as owner:
            delivered = run_until_idle(owner.id, seconds=LONGEST_SECONDS)
        self.stdout.write(json.dumps({"jobs": done, "deliveries": delivered}))
