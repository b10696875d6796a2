"""The rows of runs that did not end well."""

import traceback
from datetime import datetime
from pathlib import Path

from jobs.domain.errors import JobTimeout
from jobs.models import Attempt, Job
from jobs.selectors.workers import worker_name

_MAX_ERROR = 10_000
_MAX_TRACEBACK = 50_000
_RUNTIME = str(Path(__file__).parent.parent / "runtime")


def outcome_of(error: BaseException) -> Attempt.Outcome:
    """Return how a run ended that ended in this exception."""
    return Attempt.Outcome.TIMEOUT if isinstance(error, JobTimeout) else Attempt.Outcome.ERROR


def told_of(error: BaseException) -> dict[str, str]:
    """Return the columns that tell of an exception, on a job and on an attempt alike."""
    return {"error_type": type(error).__name__[:200], "error": storable_text(error)[:_MAX_ERROR]}


def storable_text(told: object) -> str:
    """Return anything as text, without what PostgreSQL cannot store in one."""
    try:
        text = str(told)
    except Exception:  # noqa: BLE001 - an exception of someone's whose own text cannot be made
        text = f"a {type(told).__name__} that has no text"
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def ended_attempt(
    job: Job,
    outcome: Attempt.Outcome,
    now: datetime,
    error: BaseException | None = None,
    *,
    message: str = "",
) -> Attempt:
    """Return the row of a run that did not end well, not yet stored."""
    told = told_of(error) if error is not None else {"error": storable_text(message)[:_MAX_ERROR]}
    return Attempt(
        job_id=job.pk,
        run=job.run,
        number=job.attempt,
        outcome=outcome,
        worker_name=worker_name(job.worker_id),
        pid=job.pid,
        started_at=job.started_at or now,
        finished_at=now,
        traceback=storable_text(_traceback(error))[-_MAX_TRACEBACK:],
        **told,
    )


def _traceback(error: BaseException | None) -> str:
    """Return the traceback from the handler on, without the frames that called it."""
    if error is None or error.__traceback__ is None:
        return ""
    frames = error.__traceback__
    while frames.tb_next is not None and _RUNTIME in frames.tb_frame.f_code.co_filename:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))
