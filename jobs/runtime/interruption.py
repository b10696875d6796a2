"""Ending a handler from outside: an exception raised in it, at a moment at which it can be."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from jobs.domain.errors import JobCancelled, JobTimeout, LostJob, WorkerStopping
from jobs.models import Job
from jobs.runtime.slot import Order
from jobs.runtime.worker_process import worker_process

_NEVER = float("inf")
#: Ignored by every process that does not ask for it, so that one sent too early does no harm.
ORDER_SIGNAL = signal.SIGURG
_ERRORS = {
    Order.CANCELLED: JobCancelled("cancelled on request"),
    Order.LOST: LostJob("another run has replaced this one"),
    Order.STOPPING: WorkerStopping("its worker was stopped before it could end"),
}


class Interruption:
    """Raises in the main thread's handler, never in what the engine does around and for it."""

    def __init__(self) -> None:
        self._job: Job | None = None
        self._shields = 0
        self._pending: Exception | None = None
        self._has_alarm = False
        self._deadline = _NEVER
        self._alarm_at = _NEVER

    def listen(self) -> None:
        """Begin to hear the parent's orders; for the main thread of a process of a worker."""
        signal.signal(ORDER_SIGNAL, self._hear)

    @contextmanager
    def armed(self, job: Job) -> Iterator[None]:
        """While inside, orders that concern this run are raised."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before, self._job, self._pending = self._job, job, None
        try:
            yield
        finally:
            self._job, self._pending = before, None

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """While inside, nothing is raised; what came meanwhile is raised at the end.

        For statements to the database in the middle of a handler: one that is cut off leaves a
        connection of which nobody knows the state.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if self._pending is not None and not self._shields:
            pending, self._pending = self._pending, None
            raise pending

    def strike(self, error: Exception) -> None:
        """Raise the error here, in the handler, or at the end of what must not be cut off."""
        if self._job is None:
            return
        if self._shields:
            self._pending = self._pending or error
            return
        raise error

    @contextmanager
    def alarms(self) -> Iterator[None]:
        """While inside, `by` works: the alarm of this process, which only one can have, is ours."""
        if threading.current_thread() is not threading.main_thread() or self._has_alarm:
            yield
            return
        handler = signal.signal(signal.SIGALRM, self._ring)
        left = signal.setitimer(signal.ITIMER_REAL, 0)[0]
        self._has_alarm = True
        try:
            yield
        finally:
            self._has_alarm = False
            self._alarm_at = _NEVER
            signal.setitimer(signal.ITIMER_REAL, left)
            signal.signal(signal.SIGALRM, handler)

    @contextmanager
    def by(self, seconds: float) -> Iterator[None]:
        """Inside, the handler is struck once so many seconds have passed.

        The alarm of an earlier run is not taken back: it would cost each quick run two calls of the
        system. It rings for nothing, and is set again if someone needs it by then.
        """
        if threading.current_thread() is not threading.main_thread() or not self._has_alarm:
            yield
            return
        before, self._deadline = self._deadline, time.monotonic() + seconds
        self._set_alarm()
        try:
            yield
        finally:
            self._deadline = before
            self._set_alarm()

    def _set_alarm(self) -> None:
        if self._deadline < self._alarm_at:
            self._alarm_at = self._deadline
            left = max(self._deadline - time.monotonic(), 1e-6)
            signal.setitimer(signal.ITIMER_REAL, left)

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        self._alarm_at = _NEVER
        if time.monotonic() < self._deadline:
            self._set_alarm()
        elif self._job is not None:
            seconds = self._job.timeout.total_seconds()
            self.strike(JobTimeout(f"it ran for longer than its timeout of {seconds:g} s"))

    def _hear(self, _signal: int, _frame: FrameType | None) -> None:
        slot = worker_process.slot
        ordered = slot.ordered() if slot else None
        if ordered is None or self._job is None:
            return
        order, job_id, run = ordered
        if (job_id, run) == (self._job.pk, self._job.run):
            self.strike(_ERRORS[order])


interruption = Interruption()
