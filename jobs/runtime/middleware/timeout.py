"""The soft timeout: an exception in the handler when its time is up."""

import signal
import threading
from types import FrameType

from jobs.domain.errors import JobTimeout
from jobs.domain.outcomes import Outcome
from jobs.runtime.execution import Execution, Next
from jobs.runtime.interruption import interruption


class TimeoutMiddleware:
    """Raises `JobTimeout` inside the handler once its timeout has passed.

    By an alarm of the operating system, which only a process's main thread can have: in Celery's
    prefork and solo pools. In other threads the handler meets its timeout at its next
    `ctx.progress` or `ctx.check`. A handler that ignores it is killed after the grace period, by
    the worker's parent.
    """

    def __init__(self, get_outcome: Next) -> None:
        self.get_outcome = get_outcome

    def __call__(self, execution: Execution) -> Outcome:
        """Return the outcome of the rest, or raise when the time is up."""
        if threading.current_thread() is not threading.main_thread():
            return self.get_outcome(execution)
        seconds = execution.job.timeout.total_seconds()

        def strike(_signal: int, _frame: FrameType | None) -> None:
            interruption.strike(JobTimeout(f"it ran for longer than its timeout of {seconds:g} s"))

        before = signal.signal(signal.SIGALRM, strike)
        left = signal.setitimer(signal.ITIMER_REAL, seconds)[0]
        try:
            return self.get_outcome(execution)
        finally:
            signal.setitimer(signal.ITIMER_REAL, left)
            signal.signal(signal.SIGALRM, before)
