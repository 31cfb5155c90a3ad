"""Settings of gunicorn under `make run`: the code is read at once, the port is opened when the watcher says so."""

import os
import time
from pathlib import Path

from django.urls import get_resolver

from portal.run import HOLD


def on_starting(server: object) -> None:
    """Gunicorn has read the application and is about to listen. Everything that is read before the workers are
    made is theirs in common: the pages too, then."""
    resolver = get_resolver()
    assert resolver.url_patterns
    parent, hold = os.getppid(), os.environ.get(HOLD)
    while hold and Path(hold).exists() and os.getppid() == parent:
        time.sleep(0.02)
