"""What a handler is given beside its parameters."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID, uuid4, uuid5

from jobs.domain.submission import Submission


class Recorder(Protocol):
    """Where a context's reports go; the executor's writes rows, the default keeps nothing."""

    def progress(self, context: "JobContext", percent: int, message: str) -> None:
        """Store the progress; raise `JobCancelled` or `LostJob` if the run should stop."""

    def log(self, context: "JobContext", level: int, message: str, fields: dict[str, Any]) -> None:
        """Store one log line."""

    def check(self, context: "JobContext") -> None:
        """Raise `JobCancelled` or `LostJob` if the run should stop."""

    def results(self, context: "JobContext") -> dict[UUID, Any]:
        """Return what the jobs returned that this one has waited for, by their id."""

    def submit(
        self, context: "JobContext", job_type: str, params: Any, options: dict[str, Any]
    ) -> Submission:
        """Submit a job that this one leads to."""


class _NoRecorder:
    """Keeps nothing: lets a handler be called as a plain function in a test."""

    def progress(self, context: "JobContext", percent: int, message: str) -> None:
        """Keep nothing."""

    def log(self, context: "JobContext", level: int, message: str, fields: dict[str, Any]) -> None:
        """Keep nothing."""

    def check(self, context: "JobContext") -> None:
        """Never stop."""

    def results(self, context: "JobContext") -> dict[UUID, Any]:
        """Know of none."""
        return {}

    def submit(
        self, context: "JobContext", job_type: str, params: Any, options: dict[str, Any]
    ) -> Submission:
        """Pretend: return a new id."""
        return Submission(job_id=uuid4())


@dataclass(slots=True)
class JobContext:
    """The run that a handler is part of.

    `JobContext("reports.export")` is enough to call a handler as a plain function in a test.

    Attributes:
        job_type: the type's name.
        job_id: the job's id, the same in every attempt.
        attempt: attempts spent, this one included, from 1.
        max_attempts: how many there may be.
        run: how often the job was taken, from 1; unlike `attempt` it never goes back.
        deadline: when the soft timeout strikes, aware; None without a timeout.
        event_id: the event that led to the job, if any.
        tenant: whose job it is: a tenant's slug, or empty.
        trace_id: 32 hex digits, shared by all that follows from one request.
    """

    job_type: str
    job_id: UUID = field(default_factory=uuid4)
    attempt: int = 1
    max_attempts: int = 1
    run: int = 1
    deadline: datetime | None = None
    event_id: UUID | None = None
    tenant: str = ""
    trace_id: str = ""
    recorder: Recorder = field(default_factory=_NoRecorder, repr=False)
    _percent: int = field(default=0, repr=False)

    def progress(self, percent: float, message: str = "") -> None:
        """Report how far the job is; never goes back, never leaves 0 to 100.

        Written at most once a second (the last report of a run always is), so it may be called
        in a tight loop.

        Raises:
            JobCancelled: someone asked for the job to be cancelled.
            LostJob: another run has replaced this one.
        """
        self._percent = max(self._percent, min(100, max(0, int(percent))))
        self.recorder.progress(self, self._percent, message)

    def log(self, message: str, *, level: int = logging.INFO, **fields: Any) -> None:
        """Add a line to the job's own log, which people read on its page."""
        self.recorder.log(self, level, message, fields)

    def check(self) -> None:
        """Raise if the run should stop: for long work that reports no progress.

        Raises:
            JobCancelled: someone asked for the job to be cancelled.
            LostJob: another run has replaced this one.
        """
        self.recorder.check(self)

    def results(self) -> dict[UUID, Any]:
        """Return what the jobs returned that this one has waited for (`depends_on`).

        By their id, in the order in which they were named; None for one that did not complete, and
        whose failure does not matter here.
        """
        return self.recorder.results(self)

    def stable_id(self, name: str) -> UUID:
        """Return an id for an outside effect that is the same in every attempt of this job.

        Give it to the other side as its idempotency key or message id, so that a repeat of the
        effect can be told from a second one.
        """
        return uuid5(self.job_id, name)

    def submit(
        self, job_type: "str | SupportsName", params: Any = None, **options: Any
    ) -> Submission:
        """Submit a job that this one leads to: it carries the same event, trace and tenant.

        Without an `idempotency_key` of your own it gets none: a retried handler that must not
        submit twice should pass one, such as `str(ctx.stable_id("notify"))`.
        """
        name = job_type if isinstance(job_type, str) else job_type.name
        return self.recorder.submit(self, name, params, options)


class SupportsName(Protocol):
    """Anything with a name: here, a job type."""

    @property
    def name(self) -> str:
        """The name."""


Handler = Callable[[Any, JobContext], Any]
