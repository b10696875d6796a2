"""Following a job until it ends."""

import time
from datetime import timedelta
from uuid import UUID

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from jobs.domain import wire
from jobs.domain.states import FINAL, State
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, as_json, plain, state
from jobs.management.sites import Site


def follow(site: Site, job_id: UUID, longest: timedelta, output: Output) -> ExitCode:
    """Show a job's progress until it is final, and then how it ended.

    Ctrl-C ends the following, not the job.
    """
    try:
        output.remark(f"job {job_id}")
        if not _is_final(site.look(job_id)) and not site.has_a_healthy_worker():
            output.remark("no worker is alive; start one with `celery -A jobsite worker`")
        job = _followed(site, job_id, longest, output)
    except KeyboardInterrupt:
        output.remark(f"the job goes on; follow it with `manage.py jobs watch {job_id}`")
        return ExitCode.INTERRUPTED
    return _tell(job, output)


def _followed(site: Site, job_id: UUID, longest: timedelta, output: Output) -> wire.Job:
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
        while not _is_final(job := site.look(job_id)) and time.monotonic() < ends:
            bar.update(
                shown,
                completed=job.progress,
                state=state(job.state),
                description=plain(job.progress_message, width=50),
            )
            time.sleep(site.pause.total_seconds())
    return job


def _tell(job: wire.Job, output: Output) -> ExitCode:
    if output.as_json:
        output.wire(job)
    else:
        why = f": {plain(job.error, width=300)}" if job.error else ""
        output.line(f"{job.id}  {state(job.state)}{why}")
        if job.result is not None:
            output.line(plain(as_json(job.result), width=1000))
    if job.state == State.COMPLETED:
        return ExitCode.DONE
    return ExitCode.FAILED if _is_final(job) else ExitCode.TIMED_OUT


def _is_final(job: wire.Job) -> bool:
    return job.state in FINAL
