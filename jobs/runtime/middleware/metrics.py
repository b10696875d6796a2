"""Times runs. What they end in is counted where it is recorded: see `jobs.runtime.metrics`."""

import time

from jobs.conf import jobs_settings
from jobs.domain.outcomes import Outcome
from jobs.runtime import metrics
from jobs.runtime.execution import Execution, Next


class MetricsMiddleware:
    """Records how long each run took; nothing if `JOBS["METRICS"]` is false."""

    def __init__(self, get_outcome: Next) -> None:
        self.get_outcome = get_outcome

    def __call__(self, execution: Execution) -> Outcome:
        """Return the outcome of the rest."""
        if not jobs_settings().metrics:
            return self.get_outcome(execution)
        began = time.monotonic()
        outcome = self.get_outcome(execution)
        metrics.duration_of(execution.job.job_type).observe(time.monotonic() - began)
        return outcome
