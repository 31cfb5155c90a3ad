"""What a Celery worker does when it is woken. A wake-up may be lost or doubled at any time without harm."""

import os

from celery import shared_task
from django.utils import timezone

from notifications import jobs
from notifications.actions import record_heartbeat
from notifications.delivery import run_until_idle
from notifications.owner import LeaseOwner

# Well within the soft limit of a task, mail to a server that hangs included.
ROUND_SECONDS = 20.0

# By process, for a forked child must not share its parent's connection.
_owners: dict[int, LeaseOwner] = {}


def _owner() -> int:
    owner = _owners.get(os.getpid())
    if owner is None or not owner.is_alive():
        owner = _owners[os.getpid()] = LeaseOwner()
    return owner.id


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def deliver(queue: str) -> None:
    """Deliver what is due in a queue and in those before it, until nothing is."""
    run_until_idle(_owner(), seconds=ROUND_SECONDS, queue=queue)


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def tick() -> None:
    """Beat's way to the same claims, should nobody else have run them."""
    jobs.run_due(timezone.now())
    run_until_idle(_owner(), seconds=ROUND_SECONDS)


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def heartbeat() -> None:
    """Show that beat, the broker and a worker are there."""
    record_heartbeat(runner="worker", detail={}, now=timezone.now())
