"""The workers, and which of them are alive."""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import Count, FilteredRelation, Q, QuerySet
from django.db.models.functions import Now

from jobs.domain.balancing import Candidate
from jobs.domain.states import State
from jobs.models import Worker, WorkerProfile


def workers() -> QuerySet[Worker]:
    """Return the workers that have not left, the newest first, with `running`, their jobs."""
    running = Count("jobs", filter=Q(jobs__state=State.RUNNING))
    return Worker.objects.filter(stopped_at=None).annotate(running=running).order_by("-started_at")


def worker_counts() -> dict[str, int]:
    """Return how many workers are `healthy` (their lease holds) and `expected` (not stopped)."""
    return {
        "healthy": live_workers().count(),
        "expected": Worker.objects.filter(stopped_at=None).count(),
    }


def live_workers() -> QuerySet[Worker]:
    """Return the workers whose lease holds, by the database's clock."""
    return Worker.objects.filter(stopped_at=None, expires_at__gt=Now())


def live_slots() -> int:
    """Return how many jobs the live workers can run at once."""
    return sum(live_workers().values_list("concurrency", flat=True))


def candidates() -> list[Candidate]:
    """Return the workers that are alive and well, by name, with the slots that they have busy.

    None whose profile has it take no jobs: it hears no bells either. By one statement, which reads
    no jobs but those that run. Of a name that was taken over from a worker that was killed, the
    newest.
    """
    resting = WorkerProfile.objects.filter(Q(enabled=False) | Q(draining=True)).values("name")
    alive = live_workers().filter(ailment="").exclude(profile__in=resting)
    at_work = FilteredRelation("jobs", condition=Q(jobs__state=State.RUNNING))
    rows = (
        alive.annotate(at_work=at_work)
        .annotate(jobs_running=Count("at_work"), processes=Count("at_work__pid", distinct=True))
        .order_by("started_at")
        .values_list("name", "queues", "concurrency", "pool", "jobs_running", "processes")
    )
    found = {}
    for name, queues, slots, pool, running, processes in rows:
        # A process of this pool runs one job at a time, however many it has taken.
        busy = processes if pool == "prefork" else running
        found[name] = Candidate(name, frozenset(queues), slots, busy)
    return sorted(found.values(), key=lambda each: each.name)


def other_slots(worker_id: UUID, queues: Collection[str]) -> int:
    """Return the slots of other live workers that listen to any of these queues."""
    return sum(each.concurrency for each in _others(worker_id) if set(each.queues) & set(queues))


def others_may_take(worker_id: UUID, waiting: Iterable[tuple[str, str]]) -> set[str]:
    """Return the queues of those jobs that some other live worker may take.

    Args:
        worker_id: the worker that is asked about others.
        waiting: the queue and the job type of each job.
    """
    others = list(_others(worker_id))
    names = [each.profile for each in others if each.profile]
    profiles = {each.name: each for each in WorkerProfile.objects.filter(name__in=names)}
    return {
        queue
        for queue, job_type in waiting
        for other in others
        if queue in other.queues and _takes(profiles.get(other.profile), job_type)
    }


def _takes(profile: WorkerProfile | None, job_type: str) -> bool:
    if profile is None:
        return True
    return profile.takes_jobs and (not profile.job_types or job_type in profile.job_types)


def _others(worker_id: UUID) -> QuerySet[Worker]:
    return live_workers().exclude(pk=worker_id)


def worker_name(worker_id: UUID | None) -> str:
    """Return the worker's name, or empty if it is not known."""
    if worker_id is None:
        return ""
    return Worker.objects.filter(pk=worker_id).values_list("name", flat=True).first() or ""
