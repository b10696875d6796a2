"""The run that this thread is at: what its log lines carry, and what its submissions inherit."""

from collections.abc import MutableMapping
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CurrentRun:
    """The ids of a run."""

    job_id: UUID
    job_type: str
    attempt: int
    trace_id: str


_current: ContextVar[CurrentRun | None] = ContextVar("jobs_current_run", default=None)


def begin_run(run: CurrentRun) -> Token[CurrentRun | None]:
    """Say that this thread is at a run; `end_run` takes what this returns."""
    return _current.set(run)


def end_run(token: Token[CurrentRun | None]) -> None:
    """Say that it no longer is."""
    _current.reset(token)


def current_run() -> CurrentRun | None:
    """Return the run that this thread is at, or None."""
    return _current.get()


def add_run_ids(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Add the run's ids to a log line: a processor of structlog's."""
    run = _current.get()
    if run is not None:
        event.setdefault("job_id", str(run.job_id))
        event.setdefault("job_type", run.job_type)
        event.setdefault("attempt", run.attempt)
        event.setdefault("trace_id", run.trace_id)
    return event
