"""Following a job until it ends."""

import time
from datetime import timedelta
from uuid import UUID

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from jobs.domain.states import State
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, as_json, plain, state
from jobs.models import Job
from jobs.public import describe, get, worker_counts

_POLL_SECONDS = 0.1


def follow(job_id: UUID, longest: timedelta, output: Output) -> ExitCode:
    """Show a job's progress until it is final, and then how it ended.

    Ctrl-C ends the following, not the job.
    """
    try:
        output.remark(f"job {job_id}")
        if not get(job_id).is_final and not worker_counts()["healthy"]:
            output.remark("no worker is alive; start one with `celery -A jobsite worker`")
        job = _followed(job_id, longest, output)
    except KeyboardInterrupt:
        output.remark(f"the job goes on; follow it with `manage.py jobs watch {job_id}`")
        return ExitCode.INTERRUPTED
    return _tell(job, output)


def _followed(job_id: UUID, longest: timedelta, output: Output) -> Job:
    """Return the job as it is when it is final, or when the time is up."""
    ends = time.monotonic() + longest.total_seconds()
    columns = (
        TextColumn("{task.fields[state]}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.description}"),
        TimeElapsedColumn(),
    )
    hidden = not output.shows_progress
    with Progress(*columns, console=output.remarks, transient=True, disable=hidden) as bar:
        shown = bar.add_task("", total=100, state="")
        while not (job := get(job_id)).is_final and time.monotonic() < ends:
            bar.update(
                shown,
                completed=job.progress,
                state=state(job.state),
                description=plain(job.progress_message, width=50),
            )
            time.sleep(_POLL_SECONDS)
    return job


def _tell(job: Job, output: Output) -> ExitCode:
    if output.as_json:
        output.json(describe(job))
    else:
        why = f": {plain(job.error, width=300)}" if job.error else ""
        output.line(f"{job.pk}  {state(job.state)}{why}")
        if job.result is not None:
            output.line(plain(as_json(job.result), width=1000))
    if job.state == State.COMPLETED:
        return ExitCode.DONE
    return ExitCode.FAILED if job.is_final else ExitCode.TIMED_OUT
