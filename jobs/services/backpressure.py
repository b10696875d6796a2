"""Backpressure: a full queue refuses submissions, and nothing is counted for each of them.

A queue with a capacity holds at most so many ready jobs. A process that submits looks at the queue
now and then: one statement that reads `capacity + 1` index entries at most. What is left is the
room H, of which the process takes

    max(1, H // 8, capacity // 1000)

jobs, for 100 ms from the look or ten times what the look took, whichever is longer; then, or once
they are spent, it looks again. A queue that was found full is refused from memory for 20 ms, or ten
times what the look took.

What it guarantees: submissions one after the other, in one process, never exceed the capacity. Of N
threads or processes that submit at the same moment each may still spend what it was given before
the others filled the queue. So together they exceed it by at most N - 1 such shares: an eighth of
the room that each saw, and a thousandth of the capacity (or one job) where the queue is all but
full. Nor do they see what the others' transactions have not committed yet.

What it costs: with no capacity set nothing at all. Otherwise looking takes a tenth of the time of a
process that submits all the time, unless the queue is all but full; then a submission reads a
thousand index entries at most, on average.

Only what a caller submits for now is refused. What is scheduled for later is not in the queue yet.
What is due, the occurrences of schedules, retries and jobs that come back from a worker were
accepted before, and are never refused: a queue may hold more than its capacity by these.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from typing import Final

from django.utils import timezone

from jobs.conf import jobs_settings
from jobs.domain.errors import QueueFull, QuotaExceeded
from jobs.domain.events import Event, EventName, dispatch
from jobs.domain.states import State
from jobs.models import Job
from jobs.selectors.capacity import capacity_of
from jobs.selectors.queues import ready_of_tenant, ready_up_to
from jobs.selectors.tenants import quotas
from jobs.services.gates import SHARE, Gate, gate_of

#: What `QueueFull` tells to wait.
RETRY_AFTER: Final = timedelta(seconds=1)
#: What is submitted together is admitted so many at a time, however small the capacity.
_LEAST_BATCH: Final = 100


_Refusal = QueueFull | QuotaExceeded
_QUEUE = attrgetter("queue")
_TENANT = attrgetter("tenant")


@dataclass(frozen=True, slots=True)
class _Bound:
    """A queue or a tenant that may be full, and the jobs that need room in it, by place."""

    capacity: int
    gate: Gate
    refusal: _Refusal
    told: dict[str, str]


def may_refuse(jobs: Iterable[Job]) -> bool:
    """Return whether anything bounds how many of such jobs may wait; otherwise nobody need look."""
    return jobs_settings().bounds_queues or any(job.tenant for job in jobs)


def admit(job: Job) -> None:
    """Do nothing if there is room for the job, or an earlier job has its key.

    Raises:
        QueueFull: its queue has none.
        QuotaExceeded: its tenant has none.
    """
    for refusal in refusals({0: job}).values():
        raise refusal


def refusals(jobs: Mapping[int, Job]) -> dict[int, _Refusal]:
    """Return why those of the jobs are refused for which there is no room, by place.

    Those that come first get the room that there is. A job whose key an earlier one has needs none.
    """
    refused: dict[int, _Refusal] = {}
    for name_of, bound_of in ((_QUEUE, _queue_bound), (_TENANT, _tenant_bound)):
        left = {place: job for place, job in jobs.items() if place not in refused}
        refused |= _without_room(left, name_of, bound_of)
    return refused


def _queue_bound(job: Job) -> _Bound | None:
    capacity = capacity_of(job.queue) if jobs_settings().bounds_queues else 0
    if not capacity:
        return None
    queue, priority = job.queue, job.priority
    gate = gate_of(("queue", queue), lambda limit: ready_up_to(limit, queue, priority))
    full = QueueFull(queue, capacity=capacity, retry_after=RETRY_AFTER)
    return _Bound(capacity, gate, full, {"reason": "queue_full", "queue": queue})


def _tenant_bound(job: Job) -> _Bound | None:
    quota = quotas().get(job.tenant) if job.tenant else None
    if quota is None or quota.max_ready is None:
        return None
    tenant = job.tenant
    gate = gate_of(("tenant", tenant), lambda limit: ready_of_tenant(limit, tenant))
    full = QuotaExceeded(tenant, quota=quota.max_ready, retry_after=RETRY_AFTER)
    return _Bound(quota.max_ready, gate, full, {"reason": "quota_exceeded", "queue": job.queue})


def _without_room(
    jobs: Mapping[int, Job],
    name_of: Callable[[Job], str],
    bound_of: Callable[[Job], _Bound | None],
) -> dict[int, _Refusal]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, job in jobs.items():
        if job.state == State.QUEUED:
            places[name_of(job)].append(place)
    refused: dict[int, _Refusal] = {}
    for wanting in places.values():
        bound = bound_of(jobs[wanting[0]])
        room = bound.gate.admit(len(wanting), bound.capacity) if bound else len(wanting)
        if bound is not None and room < len(wanting):
            late = _beyond(room, wanting, jobs)
            refused |= dict.fromkeys(late, bound.refusal)
            _tell(bound, len(late))
    return refused


def _tell(bound: _Bound, count: int) -> None:
    # At once: the transaction may be rolled back because of it.
    if count:
        dispatch(Event(EventName.REJECTED, timezone.now(), details={**bound.told, "count": count}))


def largest_batch() -> int:
    """Return how many jobs may be admitted by one look, so that bounds are not far exceeded."""
    settings = jobs_settings()
    capacities = map(capacity_of, ["", *settings.queue_sizes])
    return max(_LEAST_BATCH, min(filter(None, capacities)) // SHARE)


def _beyond(room: int, places: Sequence[int], jobs: Mapping[int, Job]) -> list[int]:
    """Return the places of the jobs that there is no room for."""
    known = _known_keys(jobs.values())
    refused = []
    for place in places:
        job = jobs[place]
        key = (job.tenant, job.job_type, job.idempotency_key)
        if key in known:
            continue
        if not room:
            refused.append(place)
            continue
        room -= 1
        if job.idempotency_key is not None:
            known.add(key)
    return refused


def _known_keys(jobs: Iterable[Job]) -> set[tuple[str, str, str | None]]:
    keyed = [job for job in jobs if job.idempotency_key is not None]
    if not keyed:
        return set()
    holders = Job.objects.filter(
        tenant__in={job.tenant for job in keyed},
        job_type__in={job.job_type for job in keyed},
        idempotency_key__in={job.idempotency_key for job in keyed},
    )
    return set(holders.values_list("tenant", "job_type", "idempotency_key"))
