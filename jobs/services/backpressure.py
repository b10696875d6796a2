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

import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from django.core.signals import setting_changed
from django.utils import timezone

from jobs.conf import jobs_settings
from jobs.domain.errors import QueueFull
from jobs.domain.events import Event, EventName, dispatch
from jobs.domain.states import State
from jobs.models import Job
from jobs.selectors.capacity import capacity_of
from jobs.selectors.queues import ready_up_to

#: What `QueueFull` tells to wait.
RETRY_AFTER: Final = timedelta(seconds=1)
_SHARE: Final = 8
_LEAST_SHARE: Final = 1000
_GIVEN_SECONDS: Final = 0.1
_FULL_SECONDS: Final = 0.02
#: Looking takes a tenth of the time, at most.
_TIMES_A_LOOK: Final = 10
#: What is submitted together is admitted so many at a time, however small the capacity.
_LEAST_BATCH: Final = 100


class _Gate:
    """What this process knows of one queue."""

    def __init__(self, queue: str, priority: int) -> None:
        self._queue = queue
        self._priority = priority
        self._full = False
        self._left = 0
        self._known_until = 0.0

    def admit(self, wanted: int, capacity: int) -> int:
        """Return how many of the wanted jobs the queue has room for, and count them as in it."""
        with _lock:
            if time.monotonic() < self._known_until:
                if self._full:
                    return 0
                if wanted <= self._left:
                    self._left -= wanted
                    return wanted
        # Without the lock: a thread that waits for the database must not hold up the others, whose
        # transactions it may wait for.
        began = time.monotonic()
        room = max(0, capacity - ready_up_to(capacity + 1, self._queue, self._priority))
        took = _TIMES_A_LOOK * (time.monotonic() - began)
        fit = min(wanted, room)
        share = min(room, max(1, room // _SHARE, capacity // _LEAST_SHARE))
        with _lock:
            self._full = not room
            self._left = max(0, share - fit)
            self._known_until = began + max(took, _GIVEN_SECONDS if room else _FULL_SECONDS)
        return fit


_lock = threading.Lock()
_gates: dict[str, _Gate] = {}


def admit(job: Job) -> None:
    """Do nothing if the job's queue has room for it, or an earlier job has its key.

    Raises:
        QueueFull: it has none.
    """
    for refusal in refusals({0: job}).values():
        raise refusal


def refusals(jobs: Mapping[int, Job]) -> dict[int, QueueFull]:
    """Return why those of the jobs are refused for which their queues have no room, by place.

    Those that come first get the room that there is. A job whose key an earlier one has needs none.
    """
    wanted = Counter(
        (job.queue, job.priority) for job in jobs.values() if job.state == State.QUEUED
    )
    capacities = {queue: capacity_of(queue) for queue, _ in wanted}
    room = {
        queue: _gate(queue, priority).admit(count, capacities[queue])
        for (queue, priority), count in wanted.items()
        if capacities[queue]
    }
    if all(room[queue] == count for (queue, _), count in wanted.items() if queue in room):
        return {}
    refused = _without_room(jobs, room)
    counts = Counter(refused.values())
    errors = {
        queue: QueueFull(queue, capacity=capacities[queue], retry_after=RETRY_AFTER)
        for queue in counts
    }
    for queue, count in counts.items():
        # At once: the transaction may be rolled back because of it.
        details = {"reason": "queue_full", "queue": queue, "count": count}
        dispatch(Event(EventName.REJECTED, timezone.now(), details=details))
    return {place: errors[queue] for place, queue in refused.items()}


def largest_batch() -> int:
    """Return how many jobs may be admitted by one look, so that bounds are not far exceeded."""
    settings = jobs_settings()
    capacities = map(capacity_of, ["", *settings.queue_sizes])
    return max(_LEAST_BATCH, min(filter(None, capacities)) // _SHARE)


def _without_room(jobs: Mapping[int, Job], room: dict[str, int]) -> dict[int, str]:
    """Return the queues of the jobs that there is no room for, by their place."""
    known = _known_keys(jobs.values())
    refused = {}
    for place, job in jobs.items():
        key = (job.job_type, job.idempotency_key)
        if key in known:
            continue
        if job.state == State.QUEUED and job.queue in room:
            if not room[job.queue]:
                refused[place] = job.queue
                continue
            room[job.queue] -= 1
        if job.idempotency_key is not None:
            known.add(key)
    return refused


def _known_keys(jobs: Iterable[Job]) -> set[tuple[str, str | None]]:
    keyed = [job for job in jobs if job.idempotency_key is not None]
    if not keyed:
        return set()
    holders = Job.objects.filter(
        job_type__in={job.job_type for job in keyed},
        idempotency_key__in={job.idempotency_key for job in keyed},
    )
    return set(holders.values_list("job_type", "idempotency_key"))


def _gate(queue: str, priority: int) -> _Gate:
    return _gates.get(queue) or _gates.setdefault(queue, _Gate(queue, priority))


def forget() -> None:
    """Look again before the next submission."""
    global _lock
    _lock = threading.Lock()  # the one of before a fork may be held for ever
    _gates.clear()


def _settings_changed(*, setting: str, **_: Any) -> None:
    if setting == "JOBS":
        forget()


setting_changed.connect(_settings_changed, dispatch_uid="jobs.services.backpressure")
os.register_at_fork(after_in_child=forget)
