"""Rescuing jobs whose run was cut off: the process killed, or the whole worker lost."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from jobs.conf import jobs_settings
from jobs.domain.errors import JobTimeout
from jobs.domain.outcomes import Cancelled, Lost, Outcome, Released
from jobs.domain.states import State
from jobs.models import Job, Worker
from jobs.selectors.clock import database_now
from jobs.selectors.policy import policy_of
from jobs.services.finishing import current_run, finish
from jobs.services.taking import give_back

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Death:
    """What is known of the death of a process of a worker.

    Attributes:
        why: for people: the signal or exit code, the memory it used.
        job_id, run: what it was at; None if it was at nothing.
        verdict: why its parent killed it: `timeout`, `cancelled` or `stopping`; empty if it died
            of something else.
    """

    why: str
    job_id: UUID | None = None
    run: int = 0
    verdict: str = ""


def running_of(worker_id: UUID) -> QuerySet[Job]:
    """Return the jobs that the table says this worker runs."""
    return Job.objects.filter(worker_id=worker_id, state=State.RUNNING).order_by("id")


def relieve(running: Job) -> int:
    """Give back what was taken together with a job that runs on and on; return how many.

    Only where its process will start none of them any more: the time of its take is over.
    """
    taken = Job.objects.filter(
        worker_id=running.worker_id,  # type: ignore[misc] # it has one: it runs
        state=State.RUNNING,
        pid=running.pid,
        started_at=running.started_at,
    )
    return give_back(list(taken.exclude(pk=running.pk)))


def close_dead(jobs: Iterable[Job], death: Death) -> int:
    """Close the runs that a dead process had taken; return how many.

    The one that it was at answers for the death. The others of the same take had not begun: they
    are ready again, with no attempt spent.
    """
    not_begun = []
    closed = 0
    for job in jobs:
        if (job.pk, job.run) == (death.job_id, death.run):
            closed += finish(job, _outcome(job, death))
        else:
            not_begun.append(job)
    return closed + give_back(not_begun)


def release_strays(worker_id: UUID, pids: Collection[int], *, older_than: timedelta) -> int:
    """Make ready again what processes were given that are at nothing; return how much.

    Their take was committed, and they never learnt of it: the database went away in between.

    Args:
        worker_id: the worker.
        pids: of its idle processes.
        older_than: what was taken since may be about to begin.
    """
    since = timezone.now() - older_than
    strays = list(running_of(worker_id).filter(pid__in=pids, started_at__lt=since))
    if strays:
        logger.warning("strays_released", job_ids=[str(job.pk) for job in strays])
    return give_back(strays)


def _outcome(job: Job, death: Death) -> Outcome:
    match death.verdict:
        case "timeout":
            seconds = job.timeout.total_seconds()
            error = JobTimeout(f"killed: it ran on after its timeout of {seconds:g} s")
            return policy_of(job).decide(error, attempt=job.attempt)
        case "cancelled":
            return Cancelled("killed: it ran on after it was asked to stop")
        case "stopping":
            return Released("its worker was stopped before it could end")
        case _:
            return _lost(job, death.why)


def close_overdue(jobs: Iterable[Job], *, now: datetime) -> int:
    """Close the runs that are past their timeout and its grace, in a pool that cannot kill them.

    Args:
        jobs: running jobs of this worker.
        now: by this host's clock, which is the one that wrote when they started.
    """
    grace = jobs_settings().timeout_grace
    overdue = [job for job in jobs if job.started_at and job.started_at + job.timeout + grace < now]
    told = Death("", verdict="timeout")
    return sum(finish(job, _outcome(job, told)) for job in overdue)


def hand_on(worker_id: UUID) -> list[UUID]:
    """Make what a worker that stops has left running ready again, with no attempt spent.

    Returns:
        The ids of those jobs, which the log names.
    """
    left = list(running_of(worker_id))
    released = Released("its worker was stopped before it could end")
    handed = [job.pk for job in left if finish(job, released)]
    if handed:
        logger.warning("jobs_handed_on", job_ids=[str(each) for each in handed])
    return handed


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
    return _close_takes([*stopped, *unknown])


def _close_takes(jobs: list[Job]) -> int:
    """Close the runs of lost workers.

    Of a take of several nobody knows which one the process was at: none is charged, and each is
    taken alone from now on, so that the guilty one is found.
    """
    takes = Counter((job.worker_id, job.pid) for job in jobs)
    closed = 0
    for job in jobs:
        if takes[job.worker_id, job.pid] > 1 and not job.alone:
            outcome: Outcome = Released("its worker was lost", alone=True)
        else:
            outcome = _lost(job, "its worker was lost")
        closed += _close_unheld(job, outcome)
    return closed


def _close_unheld(job: Job, outcome: Outcome) -> bool:
    """Close a run, unless its row is locked: whoever waited would rescue no other job meanwhile.

    A host that is gone in the middle of a write keeps its lock until the server notices.
    """
    with transaction.atomic():
        unheld = current_run(job).select_for_update(skip_locked=True).values_list("pk")
        return bool(list(unheld)) and finish(job, outcome, now=database_now())


def _lost(job: Job, why: str) -> Lost:
    """Return that the run is lost: the job goes on, or fails after too many losses in a row."""
    losses = job.losses + 1
    dead = losses >= jobs_settings().max_losses
    logger.warning("job_lost", job_id=str(job.pk), job_type=job.job_type, why=why, losses=losses)
    return Lost(why, losses, None if dead else policy_of(job).backoff.delay(losses))
