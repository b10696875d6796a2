"""The thread that keeps time, in beat and in every worker; one of them at a time does the work."""

import os
import platform
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import IntEnum
from uuid import uuid4

import structlog
from django.db import close_old_connections, connection

from jobs.conf import jobs_settings
from jobs.runtime.duties import DUTIES
from jobs.runtime.forking import unforked
from jobs.selectors.outages import OUTAGES
from jobs.services import leadership, timekeeping
from jobs.services.timekeeping import NextDue

logger = structlog.get_logger(__name__)
DUTY = "timekeeper"
_PAUSE_AFTER_ERROR_SECONDS = 1.0
#: What is due sooner is waited for at the pace of the tick, and to the moment itself.
_NEAR = timedelta(milliseconds=500)
#: At this pace it is seen that something has become near: what is due sooner than that is late by
#: as much, at most.
_IDLE_SECONDS = 0.1
#: How often to look for schedules that a migration or a hand has made without a next run.
_PLAN_SECONDS = 5.0


class Rank(IntEnum):
    """Who keeps time first: the lower takes over from the higher."""

    BEAT = 0
    STAND_BY = 1


class Timekeeper:
    """Does what time asks for, while it holds the lease; waits for it otherwise.

    Every duty is safe in any number of processes at once: the lease saves work, it does not keep
    anything right.
    """

    def __init__(self, rank: Rank) -> None:
        settings = jobs_settings()
        self._rank = rank
        self._holder = f"{platform.node()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._tick_seconds = settings.scheduler_tick_ms / 1000
        self._ring_seconds = settings.poll_interval_ms / 1000
        self._worker_lease_seconds = settings.lease_seconds
        #: Half of a worker's, so that another is at work within one worker's lease.
        self._lease = settings.lease / 2
        self._leads = False
        self._next_lease = 0.0
        self._next_ring = 0.0
        self._next_plan = 0.0
        # After a start the workers may have been unable to renew for as long as we were away:
        # wait one whole lease before believing one dead.
        self._next_reap = time.monotonic() + self._worker_lease_seconds
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

    def tick(self) -> float:
        """Do everything that is due; return for how many seconds there is nothing to do.

        A duty that fails is logged, and the others are done all the same.

        Raises:
            OUTAGES: the database cannot be used.
        """
        due = timekeeping.next_due()
        # All of them, and not up to the first that fails.
        went_well = [self._done(name, due.now) for name in self._names_of_due(due)]
        if not all(went_well):
            return _PAUSE_AFTER_ERROR_SECONDS
        return self._until_next(due)

    def _names_of_due(self, due: NextDue) -> Iterator[str]:
        if due.job is not None and due.job <= due.now:
            yield "due"
        occurs = due.occurrence is not None and due.occurrence <= due.now
        if occurs or time.monotonic() >= self._next_plan:
            self._next_plan = time.monotonic() + _PLAN_SECONDS
            yield "schedules"
        if due.expiry is not None and due.expiry <= due.now:
            yield "expiry"
        if time.monotonic() >= self._next_ring:
            self._next_ring = time.monotonic() + self._ring_seconds
            yield "rings"
        if time.monotonic() >= self._next_reap:
            self._next_reap = time.monotonic() + self._worker_lease_seconds / 3
            yield "reaper"
            yield "dependencies"
            yield "batches"

    def _until_next(self, due: NextDue) -> float:
        coming = [at for at in (due.job, due.occurrence, due.expiry) if at and at > due.now]
        nearest = min(coming, default=due.now + _NEAR) - due.now
        if nearest < _NEAR:
            return min(nearest.total_seconds(), self._tick_seconds)
        return max(self._tick_seconds, _IDLE_SECONDS)

    @staticmethod
    def _done(name: str, now: datetime) -> bool:
        try:
            DUTIES[name](now=now)
        except OUTAGES:
            raise
        except Exception as error:
            logger.exception("timekeeper_duty_failed", duty=name, error_type=type(error).__name__)
            return False
        return True

    def _run(self) -> None:
        logger.info("timekeeper_started", rank=self._rank.name.lower())
        wait = 0.0
        while not self._stop.wait(wait):
            try:
                with unforked():
                    wait = self.tick() if self._has_lease() else self._until_lease()
            except Exception as error:
                logger.exception("timekeeper_tick_failed", error_type=type(error).__name__)
                close_old_connections()
                self._leads = False
                # The workers could not renew their leases either.
                self._next_reap = time.monotonic() + self._worker_lease_seconds
                wait = _PAUSE_AFTER_ERROR_SECONDS
        if self._leads:
            self._resign()
        connection.close()

    def _has_lease(self) -> bool:
        if time.monotonic() >= self._next_lease:
            self._next_lease = time.monotonic() + self._lease.total_seconds() / 3
            led, self._leads = (
                self._leads,
                leadership.acquire(DUTY, holder=self._holder, rank=self._rank, length=self._lease),
            )
            if self._leads != led:
                told = "timekeeper_leads" if self._leads else "timekeeper_stands_by"
                logger.info(told, rank=self._rank.name.lower())
        return self._leads

    def _until_lease(self) -> float:
        return max(self._next_lease - time.monotonic(), 0.01)

    def _resign(self) -> None:
        try:
            leadership.release(DUTY, holder=self._holder)
        except Exception as error:
            logger.exception("timekeeper_resign_failed", error_type=type(error).__name__)
