"""The thread that keeps time: due jobs, occurrences, unheard bells, lost workers."""

import threading
import time
from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from jobs.conf import jobs_settings
from jobs.selectors.clock import database_now
from jobs.services import rescue, scheduling, timekeeping

logger = structlog.get_logger(__name__)
_PAUSE_AFTER_ERROR_SECONDS = 1.0


class Timekeeper:
    """Does what time asks for. Every step is safe in any number of processes at once."""

    def __init__(self) -> None:
        settings = jobs_settings()
        self._tick_seconds = settings.scheduler_tick_ms / 1000
        self._ring_seconds = settings.poll_interval_ms / 1000
        self._lease_seconds = settings.lease_seconds
        self._next_ring = 0.0
        # After a start the workers may have been unable to renew for as long as we were away:
        # wait one whole lease before believing one dead.
        self._next_reap = time.monotonic() + self._lease_seconds
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

    def tick(self, now: datetime | None = None) -> bool:
        """Do everything that is due; return whether all of it went well.

        A step that fails is logged, and the others are done all the same.

        Raises:
            OperationalError, InterfaceError: the database is away.
        """
        due = timekeeping.next_due()
        now = now or database_now()
        steps: list[Callable[..., object]] = []
        if due.job is not None and due.job <= now:
            steps.append(timekeeping.promote_due)
        if due.occurrence is not None and due.occurrence <= now:
            steps.append(scheduling.fire_due)
        if time.monotonic() >= self._next_ring:
            self._next_ring = time.monotonic() + self._ring_seconds
            steps += [scheduling.plan_unplanned, timekeeping.ring_again]
        if time.monotonic() >= self._next_reap:
            self._next_reap = time.monotonic() + self._lease_seconds / 3
            steps.append(rescue.reap)
        went_well = [self._done(step, now) for step in steps]
        return all(went_well)

    @staticmethod
    def _done(step: Callable[..., object], now: datetime) -> bool:
        try:
            step(now=now)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            name = getattr(step, "__name__", "step")
            logger.exception("timekeeper_step_failed", step=name, error_type=type(error).__name__)
            return False
        return True

    def _run(self) -> None:
        logger.info("timekeeper_started")
        wait = 0.0
        while not self._stop.wait(wait):
            wait = self._tick_seconds
            try:
                if not self.tick():
                    wait = _PAUSE_AFTER_ERROR_SECONDS
            except Exception as error:
                logger.exception("timekeeper_tick_failed", error_type=type(error).__name__)
                close_old_connections()
                # The workers could not renew their leases either.
                self._next_reap = time.monotonic() + self._lease_seconds
                wait = _PAUSE_AFTER_ERROR_SECONDS
        connection.close()
