"""Rescuing jobs whose run was cut off: the process killed, or the whole worker lost."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import Exists, OuterRef
from django.utils import timezone

from jobs.conf import jobs_settings
from jobs.domain.errors import JobTimeout
from jobs.domain.outcomes import Lost
from jobs.domain.states import State
from jobs.models import Job, Worker
from jobs.selectors.clock import database_now
from jobs.selectors.policy import policy_of
from jobs.services.lifecycle import finish

logger = structlog.get_logger(__name__)


def lost_of_worker(worker_id: UUID, live_pids: Callable[[], Collection[int]]) -> int:
    """Rescue the running jobs of a worker whose own process is gone; return how many.

    Called by the worker itself, which knows its processes. It is asked for them after the jobs
    were read, so that a process which started meanwhile is not taken for a dead one.
    """
    running = list(Job.objects.filter(worker_id=worker_id, state=State.RUNNING))
    live = live_pids()
    gone = [job for job in running if job.pid not in live]
    return _rescue(gone, "the process that ran it died")


def overdue(worker_id: UUID, *, now: datetime | None = None) -> list[Job]:
    """Return the worker's running jobs that are past their timeout and its grace.

    By this host's clock, which is the one that wrote when they started.
    """
    now = now or timezone.now()
    grace = timedelta(seconds=jobs_settings().timeout_grace_seconds)
    running = Job.objects.filter(worker_id=worker_id, state=State.RUNNING)
    return [job for job in running if job.started_at and job.started_at + job.timeout + grace < now]


def close_killed(job: Job) -> bool:
    """Record that a run is killed because it ignored its timeout; return whether it still ran."""
    outcome = policy_of(job).decide(
        JobTimeout(f"killed: it ran on after its timeout of {job.timeout.total_seconds():g} s"),
        attempt=job.attempt,
    )
    return finish(job, outcome)


def reap(*, now: datetime | None = None) -> int:
    """Rescue the running jobs of every worker whose lease has run out; return how many.

    Those workers are marked as stopped. Safe in any number of processes at once.
    """
    now = now or database_now()
    dead = Worker.objects.filter(stopped_at__isnull=True, expires_at__lt=now)
    for worker in list(dead):
        # The expiry again: the worker may have renewed its lease meanwhile.
        if dead.filter(pk=worker.pk).update(stopped_at=now):
            logger.warning("worker_lost", worker=worker.name, pid=worker.pid)
    running = Job.objects.filter(state=State.RUNNING)
    stopped = running.filter(worker__stopped_at__isnull=False)
    # Its worker died before it could register, or someone removed its row.
    unknown = running.filter(
        ~Exists(Worker.objects.filter(pk=OuterRef("worker_id"))),
        worker_id__isnull=False,
        started_at__lt=now - jobs_settings().lease,
    )
    return _rescue([*stopped, *unknown], "its worker was lost")


def _rescue(jobs: Iterable[Job], why: str) -> int:
    return sum(_close_lost(job, why) for job in jobs)


def _close_lost(job: Job, why: str) -> bool:
    """Close a run as lost: the job goes on, or fails after too many losses in a row."""
    losses = job.losses + 1
    dead = losses >= jobs_settings().max_losses
    delay = None if dead else policy_of(job).backoff.delay(losses)
    logger.warning("job_lost", job_id=str(job.pk), job_type=job.job_type, why=why)
    return finish(job, Lost(why, losses, delay), now=database_now())
