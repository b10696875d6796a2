"""One line when a run starts and one when it ends; everything logged between carries its ids."""

import time

import structlog

from jobs.domain.current import CurrentRun, begin_run, end_run
from jobs.domain.outcomes import Completed, Failed, Outcome, Retrying
from jobs.runtime.execution import Execution, Next

logger = structlog.get_logger("jobs.run")


class LoggingMiddleware:
    """Logs the run, never its parameters or its result."""

    def __init__(self, get_outcome: Next) -> None:
        self.get_outcome = get_outcome

    def __call__(self, execution: Execution) -> Outcome:
        """Return the outcome of the rest."""
        job = execution.job
        began = time.monotonic()
        token = begin_run(CurrentRun(job.pk, job.job_type, job.attempt, job.trace_id))
        try:
            logger.info("job_started")
            outcome = self.get_outcome(execution)
            seconds = round(time.monotonic() - began, 6)
            told = {"outcome": type(outcome).__name__.lower(), "duration_seconds": seconds}
            match outcome:
                case Failed(reason=reason, error=error):
                    logger.error(
                        "job_failed", **told, reason=str(reason), error_type=type(error).__name__
                    )
                case Retrying(delay=delay, error=error):
                    logger.warning(
                        "job_retrying",
                        **told,
                        retry_in_seconds=round(delay.total_seconds(), 3),
                        error_type=type(error).__name__,
                    )
                case Completed():
                    logger.info("job_completed", **told)
                case _:
                    logger.info("job_ended", **told)
        finally:
            end_run(token)
        return outcome
