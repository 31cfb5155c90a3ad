import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from portal.engine import Caller, Engine, Waker


class Command(BaseCommand):
    help = "Run the alert engine until SIGINT or SIGTERM. Any number of them may run at once."

    def handle(self, *args: Any, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        waker = Waker(Caller().call)
        waker.start()
        Engine(waker).run(stopping)
        waker.stop()
