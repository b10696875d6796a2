"""Where a running handler's reports go: rows, at a bounded pace."""

import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from jobs.conf import jobs_settings
from jobs.domain.context import JobContext
from jobs.domain.errors import JobTimeout
from jobs.domain.submission import Submission
from jobs.models import Job
from jobs.runtime.interruption import interruption
from jobs.selectors.dependencies import results_of
from jobs.services import reporting
from jobs.services.submission import submit


class JobRecorder:
    """Writes the reports of one run."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._interval = jobs_settings().progress_interval_seconds
        self._next_write = 0.0
        self._next_check = 0.0
        self._pending: tuple[int, str] | None = None
        self._lines = 0

    def progress(self, context: JobContext, percent: int, message: str) -> None:
        """Store the progress, at most once an interval; see `JobContext.progress`."""
        self._check_deadline(context)
        self._pending = (percent, message)
        if time.monotonic() >= self._next_write:
            self.flush()

    def flush(self) -> None:
        """Store the progress that was reported last."""
        if self._pending is None:
            return
        self._next_write = time.monotonic() + self._interval
        (percent, message), self._pending = self._pending, None
        with interruption.shielded():
            reporting.report_progress(self._job, percent, message)

    def log(self, context: JobContext, level: int, message: str, fields: dict[str, Any]) -> None:
        """Store a log line."""
        with interruption.shielded():
            reporting.add_log_line(self._job, level, message, fields, self._lines)
            self._lines += 1

    def check(self, context: JobContext) -> None:
        """Raise if the run should stop; asks the database at most once an interval."""
        self._check_deadline(context)
        if time.monotonic() >= self._next_check:
            self._next_check = time.monotonic() + self._interval
            with interruption.shielded():
                reporting.check_run(self._job)

    def results(self, context: JobContext) -> dict[UUID, Any]:
        """Return what the jobs returned that this one has waited for."""
        self._check_deadline(context)
        with interruption.shielded():
            return results_of(self._job)

    def submit(
        self, context: JobContext, job_type: str, params: Any, options: dict[str, Any]
    ) -> Submission:
        """Submit a job that this one leads to."""
        inherited: dict[str, Any] = {
            "parent_id": self._job.pk,
            "event_id": self._job.event_id,
            "trace_id": self._job.trace_id,
            "created_by_id": self._job.created_by_id,
            "tenant": self._job.tenant,
            "trigger": Job.Trigger.JOB,
        }
        with interruption.shielded():
            return submit(job_type, params, **{**inherited, **options})

    @staticmethod
    def _check_deadline(context: JobContext) -> None:
        if context.deadline is not None and datetime.now(UTC) > context.deadline:
            raise JobTimeout(f"it ran past its deadline, {context.deadline.isoformat()}")
