"""Accepting jobs."""

from typing import Unpack

from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs.domain.errors import DuplicateJob
from jobs.domain.events import EventName
from jobs.domain.options import SubmitOptions, check_options
from jobs.domain.registry import registry
from jobs.domain.states import State
from jobs.domain.submission import Submission
from jobs.models import Job
from jobs.selectors.clock import database_now
from jobs.services.building import Params, build
from jobs.services.doorbell import ring_after_commit
from jobs.services.events import emit_job


def submit(job_type: str, params: Params = None, **options: Unpack[SubmitOptions]) -> Submission:
    """Accept a job; once this returned and the transaction committed, it cannot be lost.

    In a transaction the job belongs to it: a rollback leaves no job and rings no bell. A broker
    that is away does not fail the submission: the timekeeper rings later.

    Args:
        job_type: the name of a registered type.
        params: the type's model, or what it validates.
        **options: see `SubmitOptions`.

    Raises:
        UnknownJobType: no such type is registered.
        InvalidParameters: the parameters do not fit its model, or cannot be stored.
        InvalidOption: an option cannot be used.
        DuplicateJob: the idempotency key belongs to a job with other parameters, or
            `on_duplicate` forbids a second submission.
    """
    check_options(options)
    found = registry.get(job_type)
    # What is due later is due by the clock that all share.
    now = database_now() if options.get("delay") or options.get("run_at") else timezone.now()
    job = build(found, params, now=now, **options)
    if job.idempotency_key is None:
        job.save(force_insert=True)
    else:
        earlier = _insert_or_find(job)
        if earlier is not None:
            return _duplicate(earlier, job, options.get("on_duplicate") or "ignore")
    announce(job)
    return Submission(job_id=job.pk, state=State(job.state))


def announce(job: Job) -> None:
    """Tell of a stored job: ring for it if it is ready, and emit its event."""
    emit_job(EventName.CREATED, job)
    if job.state == State.QUEUED:
        ring_after_commit(job.queue)


def _insert_or_find(job: Job) -> Job | None:
    """Store the job and return None, or return the job that holds its key."""
    holder = Job.objects.filter(job_type=job.job_type, idempotency_key=job.idempotency_key)
    try:
        with transaction.atomic():
            job.save(force_insert=True)
    except IntegrityError:
        earlier = holder.first()
        if earlier is None:
            raise
        return earlier
    return None


def _duplicate(earlier: Job, job: Job, policy: str) -> Submission:
    what = f"idempotency_key {job.idempotency_key!r} of {job.job_type} belongs to job {earlier.pk}"
    if policy == "error":
        raise DuplicateJob(f"{what} already", job_id=earlier.pk)
    if policy == "replace":
        return _replace(earlier, job, what)
    if earlier.params != job.params:
        raise DuplicateJob(
            f"{what}, which has other parameters; use another key, or on_duplicate='replace'",
            job_id=earlier.pk,
        )
    return Submission(job_id=earlier.pk, state=State(earlier.state), duplicate=True)


def _replace(earlier: Job, job: Job, what: str) -> Submission:
    fields = ("queue", "priority", "priority_source", "state", "params", "max_attempts",
              "timeout", "backoff", "run_at", "scheduled_for", "expires_at")  # fmt: skip
    changed = Job.objects.filter(
        pk=earlier.pk, state__in=[State.SCHEDULED, State.QUEUED], run=0
    ).update(**{name: getattr(job, name) for name in fields})
    if changed != 1:
        raise DuplicateJob(
            f"{what}, which is {earlier.state} and can no longer be replaced", job_id=earlier.pk
        )
    if job.state == State.QUEUED:
        ring_after_commit(job.queue)
    return Submission(job_id=earlier.pk, state=State(job.state), duplicate=True, replaced=True)
