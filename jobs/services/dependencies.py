"""Jobs that wait for others: what blocks them, what lets them go, and what ends them.

A job that waits is `blocked`: no worker sees it, and nothing is held for it. Whoever ends a job
that others wait for settles what they wait for, once its end has committed. Should that not come
about, since a process dies in between, the timekeeper does it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from jobs.domain.dependencies import PASSED_ON, Verdict
from jobs.domain.errors import InvalidTransition
from jobs.domain.events import Event, EventName
from jobs.domain.states import FINAL, FailureReason, State
from jobs.models import Dependency, Job
from jobs.selectors.clock import database_now
from jobs.services.aftermath import after_commit
from jobs.services.batch_life import end_batches_after_commit
from jobs.services.doorbell import ring_after_commit
from jobs.services.events import emit_all, event_of

_T = TypeVar("_T")
#: Jobs whose end is settled together, and rows that one statement names.
_AT_ONCE = 500
#: Edges that one transaction settles: of those that wait for one job the first run meanwhile.
_EDGES_AT_ONCE = 1000


def store_dependencies(jobs: Sequence[Job]) -> None:
    """Store what new jobs wait for, in the transaction that stores them.

    The jobs that are waited for are locked: whoever ends one of them does so before, and is seen
    here, or afterwards, and sees that others follow.
    """
    edges = [
        Dependency(child=job, parent_id=each.job_id, on_failure=each.on_failure)
        for job in jobs
        for each in job.new_dependencies
    ]
    Dependency.objects.bulk_create(edges, batch_size=5000)
    parents = sorted({edge.parent_id for edge in edges})
    for some in _chunks(parents):
        locked = Job.objects.select_for_update(no_key=True).filter(pk__in=some).order_by("pk")
        to_note = [
            job_id for job_id, followed in locked.values_list("pk", "followed") if not followed
        ]
        Job.objects.filter(pk__in=to_note).update(followed=True)
    ended = [
        job_id
        for some in _chunks(parents)
        for job_id in Job.objects.filter(pk__in=some, state__in=FINAL).values_list("pk", flat=True)
    ]
    settle_after_commit(ended)


def settle_after_commit(ended: Collection[UUID]) -> None:
    """Settle what waits for these jobs once the transaction, if there is one, has committed."""
    if ended:
        after_commit(lambda: settle(ended))


def settle(ended: Iterable[UUID], *, now: datetime | None = None) -> int:
    """Let those go that waited for these jobs, or end them, and those that wait for them in turn.

    Safe in any number of processes at once.

    Args:
        ended: jobs that are final; others are left alone.
        now: the moment; the database's time if None.

    Returns:
        How many jobs are no longer blocked.
    """
    moved = 0
    left = list(ended)
    while left:
        some, left = left[:_AT_ONCE], left[_AT_ONCE:]
        let_go, passed_on, is_cut = _settle(some, now)
        moved += let_go + len(passed_on)
        left = [*(some if is_cut else ()), *left, *passed_on]
    return moved


def settle_missed(*, now: datetime | None = None) -> int:
    """Settle what still waits for jobs that are final or gone; return how many jobs that moved."""
    parent = Job.objects.filter(pk=OuterRef("parent_id"))
    missed = Dependency.objects.filter(
        Exists(parent.filter(state__in=FINAL)) | ~Exists(parent), verdict=Verdict.PENDING
    )
    moved = 0
    while ended := list(
        missed.order_by().values_list("parent_id", flat=True).distinct()[:_AT_ONCE]
    ):
        moved += settle(ended, now=now)
        if len(ended) < _AT_ONCE:
            break
    return moved


def _settle(ended: Sequence[UUID], now: datetime | None) -> tuple[int, list[UUID], bool]:
    """Return how many were let go, which ended with what they waited for, and if there is more."""
    with transaction.atomic():
        # Those that someone else settles at this very moment are theirs.
        unheld = Dependency.objects.select_for_update(skip_locked=True)
        live = Job.objects.filter(pk=OuterRef("parent_id")).exclude(state__in=FINAL)
        pending = unheld.filter(~Exists(live), parent_id__in=ended, verdict=Verdict.PENDING)
        edges = list(pending.order_by("pk")[:_EDGES_AT_ONCE])
        if not edges:
            return 0, [], False
        now = now or database_now()
        few = Job.objects.only("state", "job_type")
        parents = few.in_bulk({edge.parent_id for edge in edges})
        failed = _judge(edges, parents, now)
        # Locked before anyone looks what else they wait for: of two that settle for one job at the
        # same time, the later sees what the earlier has done.
        children = _locked({edge.child_id for edge in edges})
        doomed = [job for job in children if job.pk in failed]
        free = _without_pending([job for job in children if job.pk not in failed])
        _let_go(free, now)
        events = [_pass_on(job, failed[job.pk], parents, now) for job in doomed]
        emit_all(events)
        end_batches_after_commit(job.batch_id for job in doomed)
    return len(free), [job.pk for job in doomed], len(edges) == _EDGES_AT_ONCE


def _judge(
    edges: Sequence[Dependency], parents: dict[UUID, Job], now: datetime
) -> dict[UUID, Dependency]:
    """Write down what came of each edge; return those that failed, one of each child."""
    verdicts = defaultdict[Verdict, list[int]](list)
    failed: dict[UUID, Dependency] = {}
    for edge in edges:
        parent = parents.get(edge.parent_id)
        if parent is not None and parent.state not in FINAL:
            continue  # someone has just retried it
        met = parent is not None and parent.state == State.COMPLETED
        if met or edge.on_failure == Dependency.OnFailure.CONTINUE:
            verdicts[Verdict.MET].append(edge.pk)
        else:
            verdicts[Verdict.FAILED].append(edge.pk)
            failed.setdefault(edge.child_id, edge)
    for verdict, ids in verdicts.items():
        for some in _chunks(ids):
            pending = Dependency.objects.filter(pk__in=some, verdict=Verdict.PENDING)
            pending.update(verdict=verdict, settled_at=now)
    return failed


def _locked(job_ids: Collection[UUID]) -> list[Job]:
    """Return those of the jobs that are blocked, locked, in one order for all who lock them."""
    blocked = (
        Job.objects.select_for_update(no_key=True)
        .filter(state=State.BLOCKED)
        .only("job_type", "tenant", "queue", "state", "run_at", "expires_at", "batch")
    )
    return [
        job
        for some in _chunks(sorted(job_ids))
        for job in blocked.filter(pk__in=some).order_by("pk")
    ]


def _without_pending(jobs: Sequence[Job]) -> list[Job]:
    """Return those of the jobs that wait for nothing more."""
    # Asked of each by itself: one may wait for thousands.
    pending = Dependency.objects.filter(child=OuterRef("pk"), verdict=Verdict.PENDING)
    waiting = {
        job_id
        for some in _chunks([job.pk for job in jobs])
        for job_id in Job.objects.filter(Exists(pending), pk__in=some).values_list("pk", flat=True)
    }
    return [job for job in jobs if job.pk not in waiting]


def _let_go(jobs: Sequence[Job], now: datetime) -> None:
    """Have blocked jobs run: at once, or at their time if that is ahead."""
    for job in jobs:
        if job.expires_at is not None and job.run_at < now:
            # It may run from now on: its time to start in begins now.
            Job.objects.filter(pk=job.pk).update(expires_at=job.expires_at + (now - job.run_at))
        job.state = State.SCHEDULED if job.run_at > now else State.QUEUED
        job.run_at = max(job.run_at, now)
    ready = [job for job in jobs if job.state == State.QUEUED]
    for some in _chunks([job.pk for job in ready]):
        Job.objects.filter(pk__in=some).update(state=State.QUEUED, run_at=now)
    for some in _chunks([job.pk for job in jobs if job.state == State.SCHEDULED]):
        Job.objects.filter(pk__in=some).update(state=State.SCHEDULED)
    emit_all([event_of(EventName.QUEUED, job, before=State.BLOCKED, at=now) for job in ready])
    for queue in sorted({job.queue for job in ready}):
        ring_after_commit(queue)


def _pass_on(job: Job, edge: Dependency, parents: dict[UUID, Job], now: datetime) -> Event:
    """End a job that waited for one that failed: it fails too, or is skipped."""
    parent = parents.get(edge.parent_id)
    became = f"is {parent.state}" if parent else "was removed"
    named = f"{parent.job_type} {edge.parent_id}" if parent else f"job {edge.parent_id}"
    why = f"it waited for {named}, which {became}"
    skipped = edge.on_failure == Dependency.OnFailure.SKIP
    job.state = State.CANCELLED if skipped else State.FAILED
    job.finished_at = now
    reason = "" if skipped else FailureReason.DEPENDENCY_FAILED
    Job.objects.filter(pk=job.pk).update(
        state=job.state, finished_at=now, failure_reason=reason, error_type=PASSED_ON, error=why
    )
    if skipped:
        return event_of(EventName.CANCELLED, job, before=State.BLOCKED, at=now, actor=why)
    told = {"failure_reason": str(reason), "error_type": PASSED_ON}
    return event_of(EventName.FAILED, job, before=State.BLOCKED, at=now, **told)


def wait_again(job: Job) -> bool:
    """Have a job that is to run again wait for what has not come about; return whether it has to.

    Raises:
        InvalidTransition: it would wait in vain; the message names what to retry first.
    """
    failed = Dependency.objects.filter(child=job, verdict=Verdict.FAILED).order_by("pk")
    parents = Job.objects.only("state").in_bulk([edge.parent_id for edge in failed])
    for edge in failed:
        parent = parents.get(edge.parent_id)
        if parent is None or parent.state in FINAL - {State.COMPLETED}:
            retry = "retry that one, and this one follows"
            became = f"is {parent.state}: {retry}" if parent else "was removed: submit it anew"
            raise InvalidTransition(f"job {job.pk} waited for job {edge.parent_id}, which {became}")
        met = parent.state == State.COMPLETED
        edge.verdict = Verdict.MET if met else Verdict.PENDING
        edge.save(update_fields=["verdict"])
    settle_after_commit([*parents])  # one may have ended meanwhile
    return Dependency.objects.filter(child=job, verdict=Verdict.PENDING).exists()


def ended_with(job: Job) -> QuerySet[Job]:
    """Return the jobs that ended since this one had, and for no other reason."""
    edges = Dependency.objects.filter(parent=job, verdict=Verdict.FAILED, child=OuterRef("pk"))
    return Job.objects.filter(
        Exists(edges), state__in=[State.FAILED, State.CANCELLED], error_type=PASSED_ON
    )


def _chunks(items: Sequence[_T]) -> Iterable[Sequence[_T]]:
    return (items[at : at + _AT_ONCE] for at in range(0, len(items), _AT_ONCE))
