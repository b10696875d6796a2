"""Doing one thing to several jobs, and telling how each took it."""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from jobs.domain.errors import JobsError
from jobs.management.actor import command_line_actor
from jobs.management.exit_codes import ExitCode, exit_code_of
from jobs.management.finding import find
from jobs.management.output import Output, plain, state
from jobs.models import Job


class Act(Protocol):
    """What is done to a job, such as `jobs.public.cancel`."""

    def __call__(self, job_id: UUID | str, *, actor: str) -> Job:
        """Do it and return the job as it is now."""


def steer(act: Act, job_ids: Sequence[str], output: Output) -> ExitCode:
    """Do it to each job; return the first error's exit code, or DONE."""
    code = ExitCode.DONE
    told: list[dict[str, Any]] = []
    for job_id in job_ids:
        try:
            job = act(find(job_id).pk, actor=command_line_actor())
        except JobsError as error:
            own = exit_code_of(error)
            code = code or own
            told.append({"jobId": job_id, "error": str(error), "code": own.name.lower()})
            output.remark(f"[red]✘[/] {plain(error)}")
            continue
        asked = job.cancel_requested_at is not None and not job.is_final
        told.append({"jobId": str(job.pk), "state": job.state, "cancel_requested": asked})
        if not output.as_json:
            note = ", asked to stop" if asked else ""
            output.line(f"{job.pk}  {state(job.state)}{note}")
    if output.as_json:
        output.json(told)
    return code
