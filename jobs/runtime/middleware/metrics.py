"""Counts and times runs."""

import time

from jobs.conf import jobs_settings
from jobs.domain.outcomes import Completed, Failed, Outcome, Retrying
from jobs.runtime import metrics
from jobs.runtime.execution import Execution, Next


class MetricsMiddleware:
    """Records each run; nothing if `JOBS["METRICS"]` is false."""

    def __init__(self, get_outcome: Next) -> None:
        self.get_outcome = get_outcome

    def __call__(self, execution: Execution) -> Outcome:
        """Return the outcome of the rest."""
        if not jobs_settings().metrics:
            return self.get_outcome(execution)
        began = time.monotonic()
        outcome = self.get_outcome(execution)
        job_type = execution.job.job_type
        metrics.duration.labels(job_type).observe(time.monotonic() - began)
        match outcome:
            case Completed():
                metrics.executed.labels(job_type).inc()
            case Failed(reason=reason):
                metrics.failed.labels(job_type, str(reason)).inc()
            case Retrying():
                metrics.retried.labels(job_type).inc()
            case _:
                pass
        return outcome
