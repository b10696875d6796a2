"""The run, or the request, that this thread is at: what log lines and the audit log say of it."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
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


@dataclass(frozen=True, slots=True)
class CurrentRequest:
    """Where a request came from, and what the site's log knows it by."""

    address: str
    request_id: str


_request: ContextVar[CurrentRequest | None] = ContextVar("jobs_current_request", default=None)
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


@contextmanager
def serving(request: CurrentRequest) -> Iterator[None]:
    """Say that this thread is at a request."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def current_request() -> CurrentRequest | None:
    """Return the request that this thread is at, or None."""
    return _request.get()


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
