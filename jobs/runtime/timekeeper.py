"""The thread that keeps time: due jobs, occurrences, unheard bells, lost workers."""

import threading
import time
from datetime import datetime

import structlog
from django.db import close_old_connections, connection

from jobs.conf import jobs_settings
from jobs.selectors.clock import database_now
from jobs.services import rescue, scheduling, timekeeping

logger = structlog.get_logger(__name__)
_RING_SECONDS = 1.0
_PAUSE_AFTER_ERROR_SECONDS = 1.0


class Timekeeper:
    """Does what time asks for. Every step is safe in any number of processes at once."""

    def __init__(self) -> None:
        settings = jobs_settings()
        self._tick_seconds = settings.scheduler_tick_ms / 1000
        self._reap_seconds = settings.lease_seconds / 3
        self._next_ring = 0.0
        # After a start the workers may have been unable to renew for as long as we were away:
        # wait one whole lease before believing one dead.
        self._next_reap = time.monotonic() + settings.lease_seconds
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="timekeeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, and wait for the step it is at, 5 s at most."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def tick(self, now: datetime | None = None) -> None:
        """Do everything that is due."""
        due = timekeeping.next_due()
        now = now or database_now()
        if due.job is not None and due.job <= now:
            timekeeping.promote_due(now=now)
        if due.occurrence is not None and due.occurrence <= now:
            scheduling.fire_due(now=now)
        if time.monotonic() >= self._next_ring:
            self._next_ring = time.monotonic() + _RING_SECONDS
            scheduling.plan_unplanned(now=now)
            timekeeping.ring_again(now=now)
        if time.monotonic() >= self._next_reap:
            self._next_reap = time.monotonic() + self._reap_seconds
            rescue.reap(now=now)

    def _run(self) -> None:
        logger.info("timekeeper_started")
        wait = 0.0
        while not self._stop.wait(wait):
            wait = self._tick_seconds
            try:
                self.tick()
            except Exception as error:
                logger.exception("timekeeper_tick_failed", error_type=type(error).__name__)
                close_old_connections()
                self._next_reap = time.monotonic() + jobs_settings().lease_seconds
                wait = _PAUSE_AFTER_ERROR_SECONDS
        connection.close()
