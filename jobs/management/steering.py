"""Doing one thing to several jobs, and telling how each took it."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from jobs.client import ApiError
from jobs.domain import wire
from jobs.domain.errors import JobsError
from jobs.management.exit_codes import ExitCode, exit_code_of
from jobs.management.output import Output, plain, state
from jobs.management.sites import Site


def steer(
    site: Site, act: Callable[[UUID], wire.Job], job_ids: Sequence[str], output: Output
) -> ExitCode:
    """Do it to each job; return the first error's exit code, or DONE."""
    code = ExitCode.DONE
    told: list[dict[str, Any]] = []
    for job_id in job_ids:
        try:
            job = act(site.find(job_id))
        except (JobsError, ApiError) as error:
            own = exit_code_of(error)
            code = code or own
            told.append({"jobId": job_id, "error": str(error), "code": own.name.lower()})
            output.remark(f"[red]✘[/] {plain(error)}")
            continue
        told.append(
            {"jobId": str(job.id), "state": job.state, "cancel_requested": job.cancel_requested}
        )
        if not output.as_json:
            note = ", asked to stop" if job.cancel_requested else ""
            output.line(f"{job.id}  {state(job.state)}{note}")
    if output.as_json:
        output.json(told)
    return code
