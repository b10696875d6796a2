"""The soft timeout: an exception in the handler when its time is up."""

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
        with interruption.by(execution.job.timeout.total_seconds()):
            return self.get_outcome(execution)
