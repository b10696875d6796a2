"""Making events known: to listeners in this process and on the Redis stream."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from jobs.domain.events import Event, EventName, dispatch, wanting
from jobs.models import Job
from jobs.services import stream


def with_its_events() -> AbstractContextManager[None]:
    """Return a context in which a change is stored together with what sinks make of its events.

    With no sink that would take any it costs nothing: each statement is a transaction of its own,
    or the caller's.
    """
    return transaction.atomic() if wanting() else nullcontext()


def emit(event: Event) -> None:
    """Make the event known once the transaction, if there is one, has committed.

    Best effort: an event that cannot be published is lost, the row that it tells of is not.
    """
    emit_all([event])


def emit_all(events: Sequence[Event]) -> None:
    """Make the events known, in this order; as `emit` does one."""
    for sink in wanting() if events else ():
        sink.take(events)
    if connection.in_atomic_block:
        # A lambda: on_commit(robust=True) wants a __qualname__, which functools.partial has not.
        transaction.on_commit(lambda: _publish(events), robust=True)
    else:
        _publish(events)


def emit_job(
    name: EventName, job: Job, *, before: str = "", at: datetime | None = None, **details: Any
) -> None:
    """Make known what happened to a job; now, unless it is said when."""
    emit(event_of(name, job, before=before, at=at, **details))


def event_of(
    name: EventName, job: Job, *, before: str = "", at: datetime | None = None, **details: Any
) -> Event:
    """Return the event that tells what happened to a job; now, unless it is said when."""
    at = at or timezone.now()
    return Event(name, at, job.id, job.job_type, job.state, before, details, job.tenant)


def _publish(events: Sequence[Event]) -> None:
    for event in events:
        dispatch(event)
    stream.append(events)
