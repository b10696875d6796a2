"""What a running handler reports: progress and log lines."""

from typing import Any

from django.utils import timezone

from jobs.conf import jobs_settings
from jobs.domain.errors import JobCancelled, LostJob
from jobs.domain.events import EventName
from jobs.domain.storable import storable
from jobs.models import Job, LogLine
from jobs.services.attempts import storable_text
from jobs.services.events import emit_job
from jobs.services.finishing import current_run


def report_progress(job: Job, percent: int, message: str) -> None:
    """Store how far the run is.

    Raises:
        JobCancelled: someone asked for the job to be cancelled.
        LostJob: another run has replaced this one.
    """
    message = storable_text(message)[:200]
    if not current_run(job).update(progress=percent, progress_message=message):
        raise LostJob(f"run {job.run} of job {job.pk} was replaced by another one")
    emit_job(EventName.PROGRESS_UPDATED, job, progress=percent, message=message)
    check_run(job)


def check_run(job: Job) -> None:
    """Do nothing if the run should go on.

    Raises:
        JobCancelled: someone asked for the job to be cancelled.
        LostJob: another run has replaced this one.
    """
    rows = list(current_run(job).values_list("cancel_requested_at", flat=True))
    if not rows:
        raise LostJob(f"run {job.run} of job {job.pk} was replaced by another one")
    if rows[0] is not None:
        raise JobCancelled("cancelled on request")


def add_log_line(job: Job, level: int, message: str, fields: dict[str, Any], count: int) -> None:
    """Store a log line; past the limit one line says so, and the rest are dropped."""
    limit = jobs_settings().max_log_lines
    if count > limit:
        return
    if count == limit:
        message, fields = f"more than {limit} lines: the rest are dropped", {}
    try:
        fields = storable(fields, limit_bytes=10_000)
    except ValueError as error:
        fields = {"fields": f"left out: {error}"}
    LogLine.objects.create(
        job_id=job.pk,
        run=job.run,
        at=timezone.now(),
        level=level,
        message=storable_text(message)[:10_000],
        fields=fields,
    )
