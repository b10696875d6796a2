"""What people do to a job: cancel it, or have it run again."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from jobs.domain.errors import InvalidTransition, JobNotFound
from jobs.domain.events import EventName
from jobs.domain.states import RETRYABLE, WAITING, State
from jobs.models import Job
from jobs.selectors.listings import get_job
from jobs.services.audit import record
from jobs.services.batch_life import end_batches_after_commit, go_on
from jobs.services.dependencies import ended_with, settle_after_commit, wait_again
from jobs.services.doorbell import ring_after_commit
from jobs.services.events import emit_job


def cancel(job_id: UUID | str, *, actor: str, now: datetime | None = None) -> Job:
    """Cancel a job: at once while it waits; in a few seconds while it runs.

    Its handler's next report raises; one that reports nothing is interrupted, then killed.

    Cancelling a cancelled job does nothing.

    Raises:
        JobNotFound: there is no such job.
        InvalidTransition: it has completed or failed.
    """
    now = now or timezone.now()
    job = get_job(job_id)
    before = job.state
    with transaction.atomic():
        if Job.objects.filter(pk=job.pk, state__in=WAITING).update(
            state=State.CANCELLED, finished_at=now, cancel_requested_at=now
        ):
            job = get_job(job.pk)
            emit_job(EventName.CANCELLED, job, before=before, actor=actor)
            settle_after_commit([job.pk] if job.followed else [])
            end_batches_after_commit([job.batch_id])
        elif Job.objects.filter(pk=job.pk, state=State.RUNNING).update(cancel_requested_at=now):
            before, job = State.RUNNING, get_job(job.pk)
        else:
            job = get_job(job.pk)
            if job.state == State.CANCELLED:
                return job
            raise InvalidTransition(f"job {job.pk} is {job.state} and cannot be cancelled any more")
        _record(actor, "job.cancel", job, before)
    return job


def retry(job_id: UUID | str, *, actor: str, now: datetime | None = None) -> Job:
    """Queue a failed or cancelled job again, with all its attempts before it; its history stays.

    One that waits for jobs that have not ended is blocked until they have. Jobs that ended because
    this one had wait for it again.

    Raises:
        JobNotFound: there is no such job.
        InvalidTransition: it is neither failed nor cancelled, or a job that it waited for is.
    """
    now = now or timezone.now()
    job = get_job(job_id)
    with transaction.atomic():
        job = _run_again(job, actor, now)
        if job.followed:
            _have_followers_wait(job, actor, now)
    return job


def _have_followers_wait(job: Job, actor: str, now: datetime) -> None:
    left = [job]
    while left:
        for follower in ended_with(left.pop()):
            # It stays as it is if another job that it waits for has failed too.
            with suppress(InvalidTransition), transaction.atomic():
                left.append(_run_again(follower, actor, now))


def _run_again(job: Job, actor: str, now: datetime) -> Job:
    before = job.state
    changed = Job.objects.filter(pk=job.pk, state__in=RETRYABLE).update(
        state=State.QUEUED,
        run_at=now,
        finished_at=None,
        cancel_requested_at=None,
        attempt=0,
        losses=0,
        alone=False,
        expires_at=None,
        failure_reason="",
        progress=0,
        progress_message="",
    )
    if not changed:
        raise InvalidTransition(
            f"job {job.pk} is {get_job(job.pk).state}; only failed and cancelled jobs can be "
            "retried"
        )
    if wait_again(job):
        Job.objects.filter(pk=job.pk).update(state=State.BLOCKED)
    job = get_job(job.pk)
    if job.batch_id is not None:
        go_on(job.batch_id)
    _record(actor, "job.retry", job, before)
    emit_job(EventName.RETRYING, job, before=before, actor=actor)
    if job.state == State.QUEUED:
        ring_after_commit(job.queue)
    return job


def retry_each(
    jobs: QuerySet[Job], *, actor: str, on_each: Callable[[int], None] | None = None
) -> int:
    """Queue those of the jobs again that failed or were cancelled, the oldest first.

    Each by itself, so that whatever ends this midway has lost nothing.

    Returns:
        How many were queued again.
    """
    done = 0
    wanted = jobs.filter(state__in=RETRYABLE).order_by("id")
    for job_id in list(wanted.values_list("pk", flat=True)):
        with suppress(InvalidTransition, JobNotFound):  # someone else was quicker
            retry(job_id, actor=actor)
            done += 1
            if on_each is not None:
                on_each(done)
    return done


def _record(actor: str, action: str, job: Job, before: str) -> None:
    record(
        actor=actor,
        action=action,
        target_type="job",
        target_id=job.pk,
        tenant=job.tenant,
        before=before,
        after=job.state,
    )
