"""Ending a handler from outside: an exception raised in it, at a moment at which it can be."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from jobs.domain.errors import JobCancelled, LostJob, WorkerStopping
from jobs.models import Job
from jobs.runtime.slot import Order
from jobs.runtime.worker_process import worker_process

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

    def _hear(self, _signal: int, _frame: FrameType | None) -> None:
        slot = worker_process.slot
        ordered = slot.ordered() if slot else None
        if ordered is None or self._job is None:
            return
        order, job_id, run = ordered
        if (job_id, run) == (self._job.pk, self._job.run):
            self.strike(_ERRORS[order])


interruption = Interruption()
