"""Jobs that have waited in vain: they fail as expired."""

from datetime import datetime

from django.db import transaction

from jobs.domain.events import EventName
from jobs.domain.states import WAITING, FailureReason, State
from jobs.models import Job, in_states
from jobs.selectors.clock import database_now
from jobs.services.batch_life import end_batches_after_commit
from jobs.services.dependencies import settle_after_commit
from jobs.services.events import emit_job

_AT_ONCE = 500


def expire_overdue(*, now: datetime | None = None) -> int:
    """Fail the jobs that have not started by their `expires_at`; return how many.

    A job that has run once does not expire, nor one that is blocked: it may not run yet. Safe in
    any number of processes at once.
    """
    now = now or database_now()
    waiting = Job.objects.filter(in_states(WAITING), run=0).exclude(state=State.BLOCKED)
    overdue = waiting.filter(expires_at__lte=now)
    expired = 0
    while batch := list(overdue.order_by("expires_at")[:_AT_ONCE]):
        ended = sum(_expire(job, now) for job in batch)
        expired += ended
        if len(batch) < _AT_ONCE or not ended:
            break
    return expired


def _expire(job: Job, now: datetime) -> bool:
    told = {
        "failure_reason": FailureReason.EXPIRED,
        "error_type": "Expired",
        "error": f"it had not started by {job.expires_at:%Y-%m-%d %H:%M:%S} UTC",
    }
    before = job.state
    waiting = Job.objects.filter(pk=job.pk, state=before, run=0)
    with transaction.atomic():
        # Not one whose row is locked: whoever waited would expire no other job meanwhile.
        unheld = waiting.select_for_update(skip_locked=True).values_list("pk")
        changed = list(unheld) and waiting.update(state=State.FAILED, finished_at=now, **told)
        if changed:
            job.state, job.finished_at = State.FAILED, now
            emit_job(
                EventName.FAILED, job, before=before, failure_reason=str(FailureReason.EXPIRED)
            )
            settle_after_commit([job.pk])
            end_batches_after_commit([job.batch_id])
    return bool(changed)
