"""Recording how runs ended, for as long as it takes the database to come back."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.db import close_old_connections, connection
from django.utils import timezone

from jobs.domain.errors import UnusableOutcome
from jobs.domain.outcomes import Completed, Failed, Outcome
from jobs.domain.states import FailureReason
from jobs.models import Job
from jobs.selectors.outages import OUTAGES
from jobs.services.finishing import CompletedRun, finish, finish_completed

logger = structlog.get_logger(__name__)
T = TypeVar("T")
_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 5.0
#: A completed run is written at least so soon, whatever its process is at by then.
_HELD_SECONDS = 0.1


def surely(step: Callable[[], T]) -> T:
    """Do a step, again and again while the database is away; return what it returns.

    For what follows from runs that have happened, and from jobs that are held: to give up would
    leave them to nobody.
    """
    wait = _FIRST_WAIT_SECONDS
    while True:
        try:
            return step()
        except OUTAGES as error:
            logger.warning("outcome_waits_for_database", error=str(error))
            close_old_connections()
            time.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)


def record(job: Job, outcome: Outcome) -> Outcome:
    """Record the outcome, and return what was recorded.

    An outcome that cannot be recorded for another reason than an outage, such as a date beyond what
    the database knows, is replaced by a failure that says so.
    """
    try:
        surely(lambda: finish(job, outcome))
    except Exception as error:
        logger.exception("outcome_unusable", job_id=str(job.pk))
        unusable = UnusableOutcome(f"its outcome cannot be recorded: {error}")
        failed = Failed(FailureReason.PERMANENT_ERROR, unusable)
        surely(lambda: finish(job, failed))
        return failed
    return outcome


class OutcomeBuffer:
    """Completed runs of one process that wait to be written together.

    Whoever fills it flushes it. A thread writes what that one has held for too long, because a
    handler of whom nobody expected it runs on and on.
    """

    def __init__(self) -> None:
        self._held: list[CompletedRun] = []
        self._oldest = 0.0
        self._filled = threading.Event()
        self._holding = threading.Lock()
        self._writing = threading.Lock()
        threading.Thread(target=self._watch, name="outcomes", daemon=True).start()

    def add(self, job: Job, outcome: Completed) -> None:
        """Hold a run that has just ended."""
        with self._holding:
            if not self._held:
                self._oldest = time.monotonic()
                self._filled.set()
            self._held.append(CompletedRun(job, outcome.result, timezone.now()))

    def flush(self) -> None:
        """Write what is held, for as long as it takes the database to come back."""
        surely(self._write)

    def _write(self) -> None:
        with self._writing:
            with self._holding:
                runs, self._held = self._held, []
                self._filled.clear()
            if not runs:
                return
            try:
                finish_completed(runs)
            except OUTAGES:
                with self._holding:
                    self._held = runs + self._held
                    self._filled.set()
                raise
            except Exception as error:
                # One of them cannot be recorded: each by itself tells which.
                logger.exception("outcomes_unusable", error_type=type(error).__name__)
                for run in runs:
                    record(run.job, Completed(run.result))

    def _watch(self) -> None:
        while True:
            self._filled.wait()
            time.sleep(_HELD_SECONDS)
            if not self._held or time.monotonic() - self._oldest < _HELD_SECONDS:
                continue
            try:
                self._write()
            except OUTAGES as error:
                logger.warning("outcome_waits_for_database", error=str(error))
            finally:
                connection.close()
