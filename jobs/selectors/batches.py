"""Batches and how far they are."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count

from jobs.domain.errors import BatchNotFound
from jobs.domain.states import FINAL, State
from jobs.models import Batch, Job


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is.

    Attributes:
        total: jobs that were ever put in.
        counts: how many of them are in each state, zeros left out.
    """

    total: int
    counts: dict[str, int]

    @property
    def ended(self) -> int:
        """How many have ended, whichever way."""
        return sum(self.counts.get(state, 0) for state in FINAL)

    @property
    def percent(self) -> int:
        """How much of it has ended, from 0 to 100; 100 only if all of it has."""
        return 100 if self.ended >= self.total else self.ended * 100 // self.total


def get_batch(batch_id: UUID | str, *, tenant: str = "") -> Batch:
    """Return a batch.

    Args:
        batch_id: its id.
        tenant: whose it has to be; empty: anyone's.

    Raises:
        BatchNotFound: there is none.
    """
    try:
        found = Batch.objects.filter(pk=UUID(str(batch_id)))
    except ValueError:
        raise BatchNotFound(f"{str(batch_id)[:60]!r} is not a batch's id") from None
    batch = (found.filter(tenant=tenant) if tenant else found).first()
    if batch is None:
        raise BatchNotFound(f"there is no batch {batch_id}")
    return batch


def progress_of(batch: Batch) -> Progress:
    """Return how far a batch is: by its jobs while it runs, as it was noted once it has ended."""
    if batch.finished_at is not None and batch.counts is not None:
        return Progress(batch.total, dict(batch.counts))
    return Progress(batch.total, counted(batch))


def counted(batch: Batch) -> dict[str, int]:
    """Return how many of a batch's jobs are in each state: along an index, without the table."""
    rows = Job.objects.filter(batch=batch).order_by().values_list("state")
    counts = dict(rows.annotate(Count("pk")))
    return {str(state): counts[state] for state in State if counts.get(state)}


def describe_batch(batch: Batch) -> dict[str, Any]:
    """Return a batch as people and programs look at it; moments as they are."""
    progress = progress_of(batch)
    return {
        "id": batch.pk,
        "name": batch.name,
        "tenant": batch.tenant or None,
        "state": batch.state,
        "total": progress.total,
        "ended": progress.ended,
        "percent": progress.percent,
        "counts": progress.counts,
        "leads_to": {moment: kept["type"] for moment, kept in batch.callbacks.items()},
        "created_at": batch.created_at,
        "closed_at": batch.closed_at,
        "finished_at": batch.finished_at,
        "last_error": batch.last_error or None,
    }
