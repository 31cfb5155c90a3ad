"""Celery carries wake-up calls and nothing else: the database is the record, so a call may be lost or doubled.

No ETA or countdown, no results, no eager mode; beat knows plain intervals only.
"""

import os

from celery import Celery
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from notifications.kinds import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

SOFT_LIMIT = 45
HARD_LIMIT = 60
LEASE = 90  # notifications.delivery.LEASE_SECONDS, which cannot be read before the apps are loaded; a test compares
VISIBILITY_TIMEOUT = 120

app = Celery("portal")
app.conf.update(
    broker_url=settings.REDIS_URL,
    broker_connection_timeout=3,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # a worker outlives any outage of the broker
    broker_transport_options={
        "visibility_timeout": VISIBILITY_TIMEOUT,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 5,
        "global_keyprefix": "portal:",
        # the queues in the order below, the next one only when the ones before are empty
        "queue_order_strategy": "priority",
        "deadletter_queue": "dead",
    },
    task_queues={name: {"exchange": name, "routing_key": name} for name in Queue.values},
    task_default_queue=Queue.DEFAULT.value,
    task_create_missing_queues=False,
    task_routes={
        "notifications.tasks.tick": {"queue": Queue.ALERTS.value},
        "notifications.tasks.heartbeat": {"queue": Queue.DEFAULT.value},
    },
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_publish_retry_policy={
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.2,
        "interval_max": 0.2,
    },
    task_soft_time_limit=SOFT_LIMIT,
    task_time_limit=HARD_LIMIT,
    task_serializer="json",
    accept_content=["json"],
    timezone="UTC",
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    # intervals need no memory of the last run, so beat needs no file
    beat_scheduler="celery.beat:Scheduler",
    beat_schedule={
        "tick": {"task": "notifications.tasks.tick", "schedule": 5, "options": {"expires": 5}},
        "heartbeat": {"task": "notifications.tasks.heartbeat", "schedule": 30, "options": {"expires": 30}},
    },
)
app.autodiscover_tasks()


def check_timeouts() -> None:
    """Each patience is longer than the one inside it, or work would be doubled as a rule and not by accident.

    Raises: ImproperlyConfigured with the five of them."""
    timeouts = [settings.EMAIL_TIMEOUT, SOFT_LIMIT, HARD_LIMIT, LEASE, VISIBILITY_TIMEOUT]
    if any(t is None for t in timeouts) or sorted(set(timeouts)) != timeouts:
        raise ImproperlyConfigured(
            f"Timeouts must rise: EMAIL_TIMEOUT < soft < hard < lease < visible: {timeouts}"
        )


check_timeouts()
