"""The ledger: every accepted job is accounted for, and every live one is where someone takes it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from jobs.conf import jobs_settings
from jobs.domain.dependencies import Verdict
from jobs.domain.registry import registry
from jobs.domain.states import FINAL, TIMED, WAITING, State
from jobs.models import Dependency, Job, Removal, Worker, in_states
from jobs.selectors.clock import database_now
from jobs.selectors.counts import by_state
from jobs.selectors.queues import paused_queues

#: Out of place jobs of one kind that are named.
_NAMED = 5
#: What the reaper and the timekeeper may need beyond their leases, on a machine that is busy.
_SLACK_LEASES = 2.5


@dataclass(frozen=True, slots=True)
class Misplaced:
    """Jobs that nobody will take, or move on, where they are.

    Attributes:
        why: what is wrong, for people.
        remedy: what to do.
        count: how many.
        job_ids: the first few.
    """

    why: str
    remedy: str
    count: int
    job_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The account of all jobs that were ever accepted.

    Attributes:
        accepted: rows there are, and rows that were removed after they had ended.
        final: jobs that ended, by state.
        live: jobs that have not, by state.
        removed: jobs that were removed, by the state they ended in.
        misplaced: live jobs that are lost where they are.
        notes: what keeps live jobs waiting although nothing is wrong with them.
    """

    accepted: int
    final: dict[str, int]
    live: dict[str, int]
    removed: dict[str, int]
    misplaced: tuple[Misplaced, ...]
    notes: tuple[str, ...]

    @property
    def lost(self) -> int:
        """How many live jobs are out of place: 0, or there is a defect."""
        return sum(each.count for each in self.misplaced)

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**asdict(self), "lost": self.lost}


def ledger(*, now: datetime | None = None) -> Ledger:
    """Draw up the account: a handful of statements, each on an index."""
    now = now or database_now()
    states = by_state()
    sums = Removal.objects.values_list("state").annotate(Sum("count")).order_by("state")
    removed = {state: count for state, count in sums if count}
    return Ledger(
        accepted=sum(states.values()) + sum(removed.values()),
        final={state: count for state, count in states.items() if state in FINAL},
        live={state: count for state, count in states.items() if state not in FINAL},
        removed=removed,
        misplaced=tuple(_misplaced(now)),
        notes=tuple(_notes(now)),
    )


def lost(*, now: datetime | None = None) -> int:
    """Return how many live jobs are out of place."""
    return sum(each.count for each in _misplaced(now or database_now()))


def _misplaced(now: datetime) -> Iterator[Misplaced]:
    settings = jobs_settings()
    overdue = now - settings.lease * _SLACK_LEASES
    running = Job.objects.filter(state=State.RUNNING)
    held = Worker.objects.filter(pk=OuterRef("worker_id"), stopped_at=None, expires_at__gt=overdue)
    yield from _found(
        running.filter(~Exists(held), worker_id__isnull=False, started_at__lt=overdue),
        "run on a worker that is gone",
        "start a beat or a worker: its timekeeper rescues them",
    )
    timed = Job.objects.filter(in_states(TIMED), run_at__lt=overdue)
    yield from _found(
        timed, "were due long ago", "start a beat or a worker: its timekeeper moves them on"
    )
    expired = Job.objects.filter(in_states(WAITING), run=0, expires_at__lt=overdue).exclude(
        state=State.BLOCKED
    )
    yield from _found(
        expired, "should have expired", "start a beat or a worker: its timekeeper ends them"
    )
    parent = Job.objects.filter(pk=OuterRef("parent_id"))
    pending = Dependency.objects.filter(child=OuterRef("pk"), verdict=Verdict.PENDING)
    ahead = pending.filter(
        Exists(parent.exclude(state__in=FINAL) | parent.filter(finished_at__gt=overdue))
    )
    yield from _found(
        Job.objects.filter(~Exists(ahead), state=State.BLOCKED, created_at__lt=overdue),
        "wait for jobs that have all ended",
        "start a beat or a worker: its timekeeper lets them go",
    )
    known = {*registry.celery_queues(), *_listened_to(now)}
    yield from _found(
        Job.objects.filter(state=State.QUEUED).exclude(queue__in=known),
        "wait in a queue that no job type declares and no worker listens to",
        "start a worker with -Q and that queue, or declare it with a job type again",
    )


def _found(jobs: QuerySet[Job], why: str, remedy: str) -> Iterator[Misplaced]:
    if count := jobs.count():
        first = jobs.order_by("id").values_list("pk", flat=True)[:_NAMED]
        yield Misplaced(why, remedy, count, tuple(map(str, first)))


def _listened_to(now: datetime) -> set[str]:
    live = Worker.objects.filter(stopped_at=None, expires_at__gt=now)
    return {queue for queues in live.values_list("queues", flat=True) for queue in queues}


def _notes(now: datetime) -> Iterator[str]:
    ready = Job.objects.filter(Q(state=State.QUEUED)).order_by()
    waiting = set(ready.values_list("queue", flat=True).distinct())
    for queue in sorted(waiting & paused_queues()):
        yield f"queue {queue} is paused"
    listened = _listened_to(now)
    for queue in sorted(waiting.difference(listened)):
        yield f"no worker that is alive listens to queue {queue}"
