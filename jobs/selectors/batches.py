"""Batches and how far they are."""

from collections.abc import Sequence
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
    return progress_of_each([batch])[batch.pk]


def progress_of_each(batches: Sequence[Batch]) -> dict[UUID, Progress]:
    """Return how far each of the batches is, by one statement for all of those that run."""
    running = [batch.pk for batch in batches if batch.finished_at is None or batch.counts is None]
    counts = _counted(running) if running else {}
    return {
        batch.pk: Progress(batch.total, counts.get(batch.pk, {}))
        if batch.pk in running
        else Progress(batch.total, dict(batch.counts or {}))
        for batch in batches
    }


def counted(batch: Batch) -> dict[str, int]:
    """Return how many of a batch's jobs are in each state."""
    return _counted([batch.pk]).get(batch.pk, {})


def _counted(batch_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """Return how many jobs of each batch are in each state: along an index, without the table."""
    rows = Job.objects.filter(batch_id__in=batch_ids).order_by().values_list("batch_id", "state")
    found: dict[UUID, dict[str, int]] = {}
    for batch_id, state, count in rows.annotate(Count("pk")):
        found.setdefault(batch_id, {})[state] = count
    return {
        batch_id: {str(state): counts[state] for state in State if state in counts}
        for batch_id, counts in found.items()
    }


def describe_batch(batch: Batch) -> dict[str, Any]:
    """Return a batch as people and programs look at it; moments as they are."""
    return describe_batches([batch])[0]


def describe_batches(batches: Sequence[Batch]) -> list[dict[str, Any]]:
    """Return batches as people and programs look at them, in their order; moments as they are."""
    progress = progress_of_each(batches)
    return [_described(batch, progress[batch.pk]) for batch in batches]


def _described(batch: Batch, progress: Progress) -> dict[str, Any]:
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
