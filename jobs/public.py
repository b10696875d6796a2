"""What the rest of the world calls: submit, look at and steer jobs."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Unpack
from uuid import UUID

from jobs.domain.errors import (
    ConfigurationError,
    DuplicateJob,
    InvalidCron,
    InvalidOption,
    InvalidParameters,
    InvalidTransition,
    JobNotFound,
    JobsError,
    QueueFull,
    QuotaExceeded,
    ScheduleError,
    ScheduleNotFound,
    SubmissionError,
    UnknownJobType,
    UnknownQueue,
    UnknownTimeZone,
)
from jobs.domain.events import Event, EventName, add_sink, subscribe
from jobs.domain.hooks import HookDelivery
from jobs.domain.options import SubmitOptions
from jobs.domain.registry import registry
from jobs.domain.states import State
from jobs.domain.submission import BatchSubmission, BulkSubmission, NewJob, Submission
from jobs.models import Job
from jobs.runtime.metrics import exposition
from jobs.selectors.batches import get_batch, progress_of
from jobs.selectors.counts import average_run_seconds, dead, queue_depths, stats
from jobs.selectors.describe import describe
from jobs.selectors.listings import JobFilters, jobs_matching
from jobs.selectors.listings import get_job as get
from jobs.selectors.outages import OUTAGES
from jobs.selectors.workers import worker_counts
from jobs.services import scheduling, steering
from jobs.services.audit import record as record_act
from jobs.services.batches import add_to_batch, cancel_batch, close_batch, create_batch
from jobs.services.building import Params, stored_params
from jobs.services.bulk import submit_many
from jobs.services.doorbell import ping as ping_broker
from jobs.services.encryption import open_text, seal_text
from jobs.services.queues import pause as pause_queue
from jobs.services.queues import resume as resume_queue
from jobs.services.retention import discard, purge
from jobs.services.schedules import create_schedule, get_schedule
from jobs.services.submission import submit

__all__ = [
    "OUTAGES",
    "BatchSubmission",
    "BulkSubmission",
    "ConfigurationError",
    "DuplicateJob",
    "Event",
    "EventName",
    "HookDelivery",
    "InvalidCron",
    "InvalidOption",
    "InvalidParameters",
    "InvalidTransition",
    "JobNotFound",
    "JobsError",
    "NewJob",
    "QueueFull",
    "QuotaExceeded",
    "ScheduleError",
    "ScheduleNotFound",
    "State",
    "Submission",
    "SubmissionError",
    "UnknownJobType",
    "UnknownQueue",
    "UnknownTimeZone",
    "add_sink",
    "add_to_batch",
    "average_run_seconds",
    "cancel",
    "cancel_batch",
    "check_parameters",
    "close_batch",
    "create_batch",
    "create_schedule",
    "dead",
    "describe",
    "discard_all",
    "exposition",
    "get",
    "get_batch",
    "list",
    "open_text",
    "pause_queue",
    "ping_broker",
    "progress_of",
    "purge",
    "queue_depths",
    "record_act",
    "resume_queue",
    "retry",
    "retry_all",
    "seal_text",
    "stats",
    "submit",
    "submit_delayed",
    "submit_many",
    "subscribe",
    "trigger",
    "worker_counts",
]

_DEFAULT_ACTOR = "code"


def submit_delayed(
    job_type: str, delay: timedelta, params: Params = None, /, **options: Unpack[SubmitOptions]
) -> Submission:
    """Accept a job that runs after a delay: `submit(…, delay=delay)`."""
    options["delay"] = delay
    return submit(job_type, params, **options)


def check_parameters(job_type: str, params: Params = None, /) -> None:
    """Do nothing if a submission would accept the parameters.

    Raises:
        UnknownJobType: there is no such job type.
        InvalidParameters: they do not fit its model; `problems` has each path with its message.
    """
    stored_params(registry.get(job_type), params)


def cancel(job_id: UUID | str, *, actor: str = _DEFAULT_ACTOR) -> Job:
    """Cancel a job: at once while it waits; in a few seconds while it runs.

    Its handler's next report raises; one that reports nothing is interrupted, then killed.

    Raises:
        JobNotFound: there is no such job.
        InvalidTransition: it has completed or failed.
    """
    return steering.cancel(job_id, actor=actor)


def retry(job_id: UUID | str, *, actor: str = _DEFAULT_ACTOR) -> Job:
    """Queue a failed or cancelled job again; its history stays.

    Raises:
        JobNotFound: there is no such job.
        InvalidTransition: it is neither failed nor cancelled.
    """
    return steering.retry(job_id, actor=actor)


def retry_all(
    *,
    actor: str = _DEFAULT_ACTOR,
    on_each: Callable[[int], None] | None = None,
    **filters: Unpack[JobFilters],
) -> int:
    """Queue every failed or cancelled job again that matches all the filters given.

    Args:
        actor: who does it, for the audit log.
        on_each: called with the number done so far, after each job.
        **filters: see `JobFilters`; none: all of them.

    Returns:
        How many were queued again.

    Raises:
        ValueError: a filter's value is unknown.
    """
    return steering.retry_each(jobs_matching(**filters), actor=actor, on_each=on_each)


def discard_all(
    *,
    actor: str = _DEFAULT_ACTOR,
    on_batch: Callable[[int], None] | None = None,
    **filters: Unpack[JobFilters],
) -> int:
    """Remove every dead letter that matches all the filters given, for good.

    Args:
        actor: who does it, for the audit log.
        on_batch: called with the number removed so far, after each batch.
        **filters: see `JobFilters`; none: all of them.

    Returns:
        How many were removed.

    Raises:
        ValueError: a filter's value is unknown.
    """
    return discard(jobs_matching(**filters), actor=actor, on_batch=on_batch)


def trigger(schedule: str, *, actor: str = _DEFAULT_ACTOR) -> Submission:
    """Run a schedule's job now; its next occurrence stays as it is.

    Raises:
        ScheduleNotFound: there is no schedule of that name.
    """
    return scheduling.trigger(get_schedule(schedule), actor=actor)


def list(*, limit: int = 100, **filters: Unpack[JobFilters]) -> Sequence[Job]:  # noqa: A001 - the field's own word
    """Return jobs, newest first.

    Args:
        limit: at most so many, from 1 to 1000.
        **filters: see `JobFilters`.

    Raises:
        ValueError: a filter's value is unknown, or the limit out of range.
    """
    if not 1 <= limit <= 1000:
        raise ValueError(f"limit must be from 1 to 1000, not {limit}")
    return [*jobs_matching(**filters)[:limit]]
