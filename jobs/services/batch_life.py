"""The life of a batch: jobs join it, and once the last of them has ended, so has it.

Whoever ends a job of a batch looks whether it was the last, once its end has committed: of several
that end at the same time, the one that commits last sees the others. Should that not come about,
since a process dies in between, the timekeeper looks.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef

from jobs.domain.errors import InvalidOption, JobsError
from jobs.domain.events import Event, EventName
from jobs.domain.registry import registry
from jobs.domain.states import FINAL, State
from jobs.models import Batch, Job, in_states
from jobs.selectors.batches import counted
from jobs.selectors.clock import database_now
from jobs.services.aftermath import after_commit
from jobs.services.encryption import open_params
from jobs.services.events import emit

logger = structlog.get_logger(__name__)
#: Batches that have finished are kept for so long.
KEPT = timedelta(days=30)
_LIVE = set(State) - FINAL


def join_batches(jobs: Sequence[Job]) -> None:
    """Count new jobs into their batches, in the transaction that stores them.

    Raises:
        InvalidOption: one of the batches has just finished.
    """
    joining = Counter(job.batch_id for job in jobs if job.batch_id is not None)
    for batch_id in sorted(joining):
        going_on = Batch.objects.filter(pk=batch_id, finished_at=None, cancelled_at=None)
        if not going_on.update(total=F("total") + joining[batch_id]):
            raise InvalidOption(f"batch {batch_id} has finished, and takes no more jobs")


def end_batches_after_commit(batch_ids: Iterable[UUID | None]) -> None:
    """Look whether these batches have ended, once the transaction has committed."""
    known = {batch_id for batch_id in batch_ids if batch_id is not None}
    if known:
        after_commit(lambda: end_batches(known))


def end_batches(batch_ids: Collection[UUID]) -> int:
    """End those of the batches whose jobs have all ended; return how many.

    Safe in any number of processes at once: each ends once.
    """
    return sum(_end(batch_id) for batch_id in sorted(batch_ids) if not _has_live(batch_id))


def end_missed(*, now: datetime | None = None) -> int:
    """End the batches whose jobs have all ended, and that nobody has ended; return how many."""
    live = Job.objects.filter(in_states(_LIVE), batch=OuterRef("pk"))
    missed = Batch.objects.filter(~Exists(live), finished_at=None, closed_at__isnull=False)
    return end_batches(missed.values_list("pk", flat=True)[:100])


def go_on(batch_id: UUID) -> None:
    """Have a batch that has finished end anew, since one of its jobs is to run again."""
    Batch.objects.filter(pk=batch_id).update(finished_at=None, cancelled_at=None)


def forget_batches(now: datetime) -> int:
    """Remove the batches that finished 30 days ago and have no jobs left; return how many."""
    members = Job.objects.filter(batch=OuterRef("pk"))
    gone = Batch.objects.filter(~Exists(members), finished_at__lt=now - KEPT)
    return gone.delete()[0]


def _has_live(batch_id: UUID) -> bool:
    return Job.objects.filter(in_states(_LIVE), batch_id=batch_id).exists()


def _end(batch_id: UUID) -> bool:
    with transaction.atomic():
        # Whoever puts more in waits for this row, or was before us, and is seen by the next look.
        open_ones = Batch.objects.select_for_update().filter(pk=batch_id, finished_at=None)
        batch = open_ones.filter(closed_at__isnull=False).first()
        if batch is None or _has_live(batch_id):
            return False
        batch.finished_at = database_now()
        batch.counts = counted(batch)
        batch.ends += 1
        succeeded = set(batch.counts) <= {State.COMPLETED}
        moments = ("on_complete", "on_success" if succeeded else "on_failure")
        batch.last_error = "; ".join(filter(None, [_lead_on(batch, each) for each in moments]))
        batch.save(update_fields=["finished_at", "counts", "ends", "last_error"])
        emit(
            Event(
                EventName.BATCH_FINISHED,
                batch.finished_at,
                tenant=batch.tenant,
                details={"batch_id": str(batch.pk), "name": batch.name, "counts": batch.counts},
            )
        )
    return True


def _lead_on(batch: Batch, moment: str) -> str:
    """Submit what the batch's end leads to; return why that cannot be done any more, or nothing."""
    kept = batch.callbacks.get(moment)
    if kept is None:
        return ""
    options: dict[str, Any] = {
        "priority": kept["priority"],
        "queue": kept["queue"],
        "tenant": batch.tenant or None,
        "created_by_id": batch.created_by_id,
        "idempotency_key": f"batch:{batch.pk}:{moment}:{batch.ends}",
        "trigger": Job.Trigger.JOB,
    }
    try:
        with transaction.atomic():
            job_type = registry.get(kept["type"])
            job_type.submit(open_params(job_type, kept["params"]), **options)
    except JobsError as error:
        logger.error("batch_led_nowhere", batch_id=str(batch.pk), moment=moment, error=str(error))
        return f"{moment}: {error}"
    return ""
