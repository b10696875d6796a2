"""How quickly jobs start and run: a sample of the newest of each type."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from jobs.domain.registry import registry
from jobs.domain.states import State
from jobs.models import Job
from jobs.selectors.clock import database_now

#: Jobs of each type that are looked at.
SAMPLE = 500
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Spread:
    """How lengths of time are spread, in seconds; None where there are none.

    Attributes:
        mean: their mean.
        p50: half of them are no longer.
        p95: 95 % of them are no longer.
        p99: 99 % of them are no longer.
    """

    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class TypePerformance:
    """How the newest jobs of a type did.

    Attributes:
        job_type: its name.
        sample: completed ones that were looked at.
        run: how long they ran.
        wait: how long they waited, once they might run, until they first started.
        failed_last_hour: jobs of it that failed for good in the last hour.
        completed_last_hour: those that completed.
    """

    job_type: str
    sample: int
    run: Spread
    wait: Spread
    failed_last_hour: int
    completed_last_hour: int


def spread(lengths: Sequence[float]) -> Spread:
    """Return how the lengths are spread; each percentile is one of them (nearest rank)."""
    if not lengths:
        return Spread(None, None, None, None)
    ordered = sorted(lengths)

    def percentile(share: float) -> float:
        return round(ordered[math.ceil(share * len(ordered)) - 1], 6)

    mean = round(sum(ordered) / len(ordered), 6)
    return Spread(mean, percentile(0.5), percentile(0.95), percentile(0.99))


def performance(*, tenant: str = "", now: datetime | None = None) -> list[TypePerformance]:
    """Return how the newest jobs of each type did, for types that have any.

    Args:
        tenant: whose jobs are looked at; empty: everyone's.
        now: the moment; by the database's clock if None.
    """
    now = now or database_now()
    found = [_of_type(each.name, tenant, now) for each in registry]
    return [each for each in found if each.sample or each.failed_last_hour]


def completed_last_minute(*, tenant: str = "") -> int:
    """Return how many jobs completed in the last minute."""
    since = database_now() - _MINUTE
    return sum(
        _ended(each.name, State.COMPLETED, tenant).filter(finished_at__gt=since).count()
        for each in registry
    )


def times(jobs: QuerySet[Job]) -> tuple[Spread, Spread]:
    """Return how long the newest of the completed jobs ran, and waited for their start."""
    rows = list(
        jobs.order_by("-finished_at").values_list(
            "created_at", "scheduled_for", "started_at", "finished_at", "run"
        )[:SAMPLE]
    )
    ran = [_seconds(started, finished) for _, _, started, finished, _ in rows]
    # A later run's start says nothing of how long the first one waited.
    waited = [_seconds(due or made, started) for made, due, started, _, run in rows if run == 1]
    return spread(ran), spread(waited)


def _of_type(job_type: str, tenant: str, now: datetime) -> TypePerformance:
    completed = _ended(job_type, State.COMPLETED, tenant)
    run, wait = times(completed)
    hour = {"finished_at__gt": now - timedelta(hours=1)}
    return TypePerformance(
        job_type=job_type,
        sample=min(SAMPLE, completed[:SAMPLE].count()),
        run=run,
        wait=wait,
        failed_last_hour=_ended(job_type, State.FAILED, tenant).filter(**hour).count(),
        completed_last_hour=completed.filter(**hour).count(),
    )


def _ended(job_type: str, state: State, tenant: str) -> QuerySet[Job]:
    ended = Job.objects.filter(
        state=state, job_type=job_type, finished_at__isnull=False, started_at__isnull=False
    )
    return ended.filter(tenant=tenant) if tenant else ended


def _seconds(begin: datetime | Any, end: datetime | Any) -> float:
    return max(0.0, (end - begin).total_seconds())
