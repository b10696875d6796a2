"""Making events known: to listeners in this process and on the Redis stream."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from jobs.domain.events import Event, EventName, dispatch
from jobs.models import Job
from jobs.services import stream


def emit(event: Event) -> None:
    """Make the event known once the transaction, if there is one, has committed.

    Best effort: an event that cannot be published is lost, the row that it tells of is not.
    """
    # A lambda: on_commit(robust=True) wants a __qualname__, which a functools.partial has not.
    transaction.on_commit(lambda: _publish(event), robust=True)


def emit_job(name: EventName, job: Job, *, before: str = "", **details: Any) -> None:
    """Make known what happened to a job."""
    emit(
        Event(
            name=name,
            at=timezone.now(),
            job_id=job.pk,
            job_type=job.job_type,
            state=job.state,
            before=before,
            details=details,
        )
    )


def _publish(event: Event) -> None:
    dispatch(event)
    stream.append(event)
