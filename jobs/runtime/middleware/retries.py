"""Turns what a handler raised into an outcome, by the job's policy."""

from jobs.domain.outcomes import Outcome, Released
from jobs.runtime.execution import Execution, Next
from jobs.runtime.worker_process import worker_process


class RetriesMiddleware:
    """Everything outside it sees outcomes; everything inside it may raise."""

    def __init__(self, get_outcome: Next) -> None:
        self.get_outcome = get_outcome

    def __call__(self, execution: Execution) -> Outcome:
        """Return the outcome of the run."""
        try:
            return self.get_outcome(execution)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, the policy decides
            if isinstance(error, SystemExit) and worker_process.stopping:
                # Celery's own way to end what still runs when a worker is stopped cold.
                return Released("its worker was stopped before it could end")
            return execution.policy.decide(error, attempt=execution.context.attempt)
