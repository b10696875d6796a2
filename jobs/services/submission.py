"""Accepting jobs."""

from collections.abc import Sequence
from typing import Any, Unpack

from django.db import transaction
from django.utils import timezone

from jobs.domain.errors import DuplicateJob, InvalidOption
from jobs.domain.events import EventName
from jobs.domain.options import OnDuplicate, SubmitOptions, check_options
from jobs.domain.registry import registry
from jobs.domain.states import State
from jobs.domain.submission import Submission
from jobs.models import Job
from jobs.selectors.clock import database_now
from jobs.services.backpressure import admit, may_refuse
from jobs.services.building import Params, build
from jobs.services.doorbell import ring_after_commit
from jobs.services.encryption import open_params
from jobs.services.events import emit_all, event_of, with_its_events
from jobs.services.storing import store
from jobs.services.uniqueness import claim


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
        QueueFull: its queue holds as many ready jobs as it may (`QUEUE_SIZE`).
        QuotaExceeded: its tenant has as many ready jobs as it may.
    """
    check_options(options)
    found = registry.get(job_type)
    # What is due later is due by the clock that all share.
    now = database_now() if options.get("delay") or options.get("run_at") else timezone.now()
    job = build(found, params, now=now, **options)
    if may_refuse([job]):
        admit(job)
    policy = options.get("on_duplicate") or "ignore"
    with with_its_events() if job.new_claim is None else transaction.atomic():
        earlier = claim(job)
        if earlier is not None:
            return settle_likeness(earlier, job, policy)
        stored = job.id in store([job])
        if stored:
            announce(job)
    if not stored:
        return settle_duplicate(job, policy)
    return Submission(job_id=job.id, state=State(job.state))


def announce(job: Job) -> None:
    """Tell of a stored job: ring for it if it is ready, and emit its event."""
    announce_all([job])


def announce_all(jobs: Sequence[Job]) -> None:
    """Tell of stored jobs: one ring a queue, one event each."""
    emit_all([event_of(EventName.CREATED, job) for job in jobs])
    for queue in {job.queue for job in jobs if job.state == State.QUEUED}:
        ring_after_commit(queue)


def settle_duplicate(job: Job, policy: OnDuplicate) -> Submission:
    """Return what a submission leads to that was not stored, since another job holds its key.

    Raises:
        InvalidOption: the other job has just been removed.
        DuplicateJob: the other job has other parameters, or the policy forbids it.
    """
    holders = Job.objects.filter(
        tenant=job.tenant, job_type=job.job_type, idempotency_key=job.idempotency_key
    )
    earlier = holders.first()
    if earlier is None:
        raise InvalidOption(
            f"idempotency_key {job.idempotency_key!r} of {job.job_type} belonged to a job that was "
            "removed just now; submit again"
        )
    what = f"idempotency_key {job.idempotency_key!r} of {job.job_type} belongs to job {earlier.pk}"
    if policy == "error":
        raise DuplicateJob(f"{what} already", job_id=earlier.pk)
    if policy == "replace":
        return _replace(earlier, job, what)
    if _in_plain(earlier) != _in_plain(job):
        raise DuplicateJob(
            f"{what}, which has other parameters; use another key, or on_duplicate='replace'",
            job_id=earlier.pk,
        )
    return Submission(job_id=earlier.pk, state=State(earlier.state), duplicate=True)


def settle_likeness(earlier: Job, job: Job, policy: OnDuplicate) -> Submission:
    """Return what a submission leads to that was not stored, since there is one like it.

    Raises:
        DuplicateJob: the policy forbids it, or the other one cannot be replaced any more.
    """
    what = f"a job of type {job.job_type} like this is there: {earlier.pk}, {earlier.state}"
    if policy == "error":
        raise DuplicateJob(f"{what}, and there may be one only", job_id=earlier.pk)
    if policy == "replace":
        return _replace(earlier, job, what)
    return Submission(job_id=earlier.pk, state=State(earlier.state), duplicate=True)


def _in_plain(job: Job) -> dict[str, Any]:
    """Return a job's parameters as they can be compared: encryption never gives the same twice."""
    job_type = registry.get(job.job_type)
    return open_params(job_type, job.params) if job_type.sensitive else job.params


def _replace(earlier: Job, job: Job, what: str) -> Submission:
    fields = (
        "queue", "priority", "priority_source", "state", "params", "max_attempts", "timeout",
        "backoff", "run_at", "scheduled_for", "expires_at", "concurrency_key",
    )  # fmt: skip
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
