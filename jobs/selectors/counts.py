"""How many jobs there are, by state, type, queue and priority."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count, QuerySet

from jobs.domain.registry import registry
from jobs.domain.states import ALIASES, State
from jobs.models import Job
from jobs.selectors.run_times import mean_run_seconds

#: Completed jobs of a type whose run time is averaged.
_SAMPLE = 1000
#: How many jobs, by a name and then by their state.
_Counts = dict[str, Counter[str]]


def by_state(*, tenant: str = "") -> dict[str, int]:
    """Return the number of jobs in each state, zeros included.

    Args:
        tenant: whose jobs are counted; empty: everyone's.
    """
    counted = dict(_jobs(tenant).order_by().values_list("state").annotate(Count("pk")))
    return {str(state): counted.get(state, 0) for state in State}


def stats(*, tenant: str = "") -> dict[str, Any]:
    """Return how many jobs there are, under the names that the seeds of this system use.

    Keys: `total`; `pending` (not yet running), `processing`, `completed`, `failed`, `cancelled`;
    `waiting`, `active` and `delayed`; `by_state`, `by_type` and `by_queue`, the last with
    `waiting`, `active`, `completed`, `failed` and `delayed` for each queue; and
    `average_run_seconds`, of completed jobs, by type.

    Args:
        tenant: whose jobs are counted; empty: everyone's.
    """
    by_type: _Counts = defaultdict(Counter)
    by_queue: _Counts = defaultdict(Counter)
    states = dict.fromkeys(map(str, State), 0)
    for name, queue, state, count in _counted(tenant):
        by_type[name][state] += count
        by_queue[queue][state] += count
        states[state] += count
    return {
        "total": sum(states.values()),
        "pending": _sum(states, "pending"),
        "processing": states[State.RUNNING],
        "completed": states[State.COMPLETED],
        "failed": states[State.FAILED],
        "cancelled": states[State.CANCELLED],
        "waiting": states[State.QUEUED],
        "active": states[State.RUNNING],
        "delayed": _sum(states, "delayed"),
        "by_state": states,
        "by_type": {name: dict(by_type[name]) for name in sorted(by_type)},
        "by_queue": {queue: _as_queue(by_queue[queue]) for queue in sorted(by_queue)},
        "average_run_seconds": average_run_seconds(tenant=tenant),
    }


def queue_depths() -> dict[str, int]:
    """Return the number of ready jobs of each queue that has any, in the order of taking."""
    rows = (
        Job.objects.filter(state=State.QUEUED)
        .values_list("queue", "priority")
        .annotate(Count("pk"))
        .order_by("priority", "queue")
    )
    return {queue: count for queue, _, count in rows}


def dead() -> int:
    """Return the number of dead letters."""
    return Job.objects.filter(state=State.FAILED).count()


def average_run_seconds(*, tenant: str = "") -> dict[str, float]:
    """Return the average run time of each type, over its latest 1,000 completed jobs.

    Args:
        tenant: whose jobs count; empty: everyone's.
    """
    means = {
        each.name: mean_run_seconds(each.name, sample=_SAMPLE, tenant=tenant) for each in registry
    }
    return {name: round(mean, 4) for name, mean in means.items() if mean is not None}


def _sum(states: Mapping[str, int], alias: str) -> int:
    return sum(states[state] for state in ALIASES[alias])


def _jobs(tenant: str) -> QuerySet[Job]:
    return Job.objects.filter(tenant=tenant).exclude(tenant="") if tenant else Job.objects.all()


def _counted(tenant: str) -> Iterable[tuple[str, str, str, int]]:
    """Return job type, queue, state and how many: one look at every row, whatever is asked."""
    rows = _jobs(tenant).order_by().values_list("job_type", "queue", "state")
    return rows.annotate(Count("pk"))


def _as_queue(counts: Mapping[str, int]) -> dict[str, int]:
    return {
        "waiting": counts[State.QUEUED],
        "active": counts[State.RUNNING],
        "completed": counts[State.COMPLETED],
        "failed": counts[State.FAILED],
        "delayed": _sum(counts, "delayed"),
    }
