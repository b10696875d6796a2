"""How many jobs there are, by state, type, queue and priority."""

from collections import defaultdict
from typing import Any

from django.db.models import Count, QuerySet

from jobs.domain.registry import registry
from jobs.domain.states import ALIASES, State
from jobs.models import Job
from jobs.selectors.run_times import mean_run_seconds

#: Completed jobs of a type whose run time is averaged.
_SAMPLE = 1000


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
    states = by_state(tenant=tenant)
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
        "by_type": _grouped("job_type", tenant),
        "by_queue": {
            queue: _as_queue(counts) for queue, counts in _grouped("queue", tenant).items()
        },
        "average_run_seconds": _average_run_seconds(tenant),
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


def _sum(states: dict[str, int], alias: str) -> int:
    return sum(states[state] for state in ALIASES[alias])


def _jobs(tenant: str) -> QuerySet[Job]:
    return Job.objects.filter(tenant=tenant).exclude(tenant="") if tenant else Job.objects.all()


def _grouped(field: str, tenant: str) -> dict[str, dict[str, int]]:
    grouped: dict[str, dict[str, int]] = defaultdict(dict)
    rows = _jobs(tenant).values_list(field, "state").annotate(Count("pk")).order_by(field)
    for name, state, count in rows:
        grouped[name][state] = count
    return dict(grouped)


def _as_queue(counts: dict[str, int]) -> dict[str, int]:
    filled = {str(state): counts.get(state, 0) for state in State}
    return {
        "waiting": filled[State.QUEUED],
        "active": filled[State.RUNNING],
        "completed": filled[State.COMPLETED],
        "failed": filled[State.FAILED],
        "delayed": _sum(filled, "delayed"),
    }


def _average_run_seconds(tenant: str) -> dict[str, float]:
    """Return the average run time of each type, over its latest completed jobs."""
    means = {
        each.name: mean_run_seconds(each.name, sample=_SAMPLE, tenant=tenant) for each in registry
    }
    return {name: round(mean, 4) for name, mean in means.items() if mean is not None}
