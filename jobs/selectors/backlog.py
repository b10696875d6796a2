"""What waits for a worker: how many ready jobs, and how long such jobs take to run."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from jobs.domain.states import State
from jobs.models import Job
from jobs.selectors.queues import paused_queues
from jobs.selectors.run_times import mean_run_seconds

#: Ready jobs that are counted, at most.
MOST_COUNTED = 10_000
#: Jobs for others that are looked at, at most.
_LOOKED_AT = 100
#: Types whose run time is looked up, those with most ready jobs first, and runs of each.
_TYPES, _RUNS = 10, 20
#: How old a run may be from which anything is learnt.
_RECENT = timedelta(hours=1)
_COUNT = """
SELECT job_type, COUNT(*) FROM (
    SELECT job_type FROM {table} WHERE state = 'queued' AND queue IN ({queues}) {types} LIMIT %s
) AS ready GROUP BY job_type ORDER BY COUNT(*) DESC
"""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Ready jobs.

    Attributes:
        ready: how many, up to `MOST_COUNTED`.
        is_cut: whether there are more.
        run_seconds: how long one of them takes to run, on average, by runs of the last hour that
            completed; None if there are none.
    """

    ready: int = 0
    is_cut: bool = False
    run_seconds: float | None = None


def backlog(queues: Collection[str], job_types: Collection[str] | None = None) -> Backlog:
    """Return what waits in these queues that are not paused; a few bounded statements.

    Args:
        queues: their names.
        job_types: count these only; None: all.
    """
    counts = _ready_by_type([*set(queues).difference(paused_queues())], job_types)
    since = timezone.now() - _RECENT
    means = {name: mean_run_seconds(name, sample=_RUNS, since=since) for name in [*counts][:_TYPES]}
    known = {name: mean for name, mean in means.items() if mean is not None}
    measured = sum(counts[name] for name in known)
    seconds = sum(counts[name] * mean for name, mean in known.items())
    return Backlog(
        ready=min(sum(counts.values()), MOST_COUNTED),
        is_cut=sum(counts.values()) > MOST_COUNTED,
        run_seconds=seconds / measured if measured else None,
    )


def _ready_by_type(queues: list[str], job_types: Collection[str] | None) -> dict[str, int]:
    if not queues:
        return {}
    params: list[Any] = list(queues)
    types = ""
    if job_types is not None:
        types = f"AND job_type IN ({', '.join(['%s'] * len(job_types))})"
        params += job_types
    statement = _COUNT.format(
        table=connection.ops.quote_name(Job._meta.db_table),
        queues=", ".join(["%s"] * len(queues)),
        types=types,
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*params, MOST_COUNTED + 1])
        return dict(cursor.fetchall())


def ready_of_other_types(
    queues: Collection[str], job_types: Collection[str]
) -> set[tuple[str, str]]:
    """Return queue and job type of ready jobs that are of none of these types; the best few."""
    ready = Job.objects.filter(state=State.QUEUED, queue__in=set(queues) - paused_queues())
    others = ready.exclude(job_type__in=job_types).order_by("priority", "pk")
    return set(others.values_list("queue", "job_type")[:_LOOKED_AT])
