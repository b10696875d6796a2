"""Figures over HTTP: how many jobs there are, and how they do."""

from dataclasses import asdict
from typing import Any

from ninja import Router, Schema
from pydantic import Field

from jobs.api.authentication import ApiRequest, needs
from jobs.domain.access import Scope
from jobs.public import stats
from jobs.selectors.performance import completed_last_minute, performance

router = Router(tags=["figures"], by_alias=True)


class Stats(Schema):
    """How many jobs there are."""

    total: int
    pending: int = Field(description="Not yet running.")
    processing: int
    completed: int
    failed: int
    cancelled: int
    waiting: int = Field(description="Ready.")
    active: int
    delayed: int
    by_state: dict[str, int]
    by_type: dict[str, dict[str, int]]
    by_queue: dict[str, dict[str, int]]
    average_run_seconds: dict[str, float] = Field(description="Of completed jobs, by type.")


class Depths(Schema):
    """How many jobs there are, in short."""

    waiting: int
    active: int
    completed: int
    failed: int
    delayed: int


class SpreadOut(Schema):
    """How lengths of time are spread, in seconds; null where there are none."""

    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None


class TypePerformanceOut(Schema):
    """How the newest jobs of a type did."""

    type: str = Field(alias="job_type", serialization_alias="type")
    sample: int = Field(description="Completed ones that were looked at.")
    run_seconds: SpreadOut = Field(alias="run", serialization_alias="run_seconds")
    wait_seconds: SpreadOut = Field(alias="wait", serialization_alias="wait_seconds")
    completed_last_hour: int
    failed_last_hour: int


class Metrics(Schema):
    """The figures of the moment."""

    total: Depths
    queues: dict[str, Depths]
    completed_last_minute: int
    success_ratio_last_hour: float | None = Field(
        description="Completed ones of those that ended; null if none did."
    )
    types: list[TypePerformanceOut]


@router.get(
    "/stats",
    auth=needs(Scope.READ),
    response=Stats,
    operation_id="getStats",
    summary="Count the jobs",
)
def get_stats(request: ApiRequest) -> dict[str, Any]:
    """Return how many jobs there are by state, type and queue."""
    return stats(tenant=request.auth.tenant)


@router.get(
    "/metrics",
    auth=needs(Scope.READ),
    response=Metrics,
    operation_id="getMetrics",
    summary="Get the figures of the moment",
)
def get_metrics(request: ApiRequest) -> dict[str, Any]:
    """Return what waits and runs, by queue, and how quickly the newest jobs started and ran."""
    tenant = request.auth.tenant
    counted = stats(tenant=tenant)
    types = performance(tenant=tenant)
    completed = sum(each.completed_last_hour for each in types)
    ended = completed + sum(each.failed_last_hour for each in types)
    return {
        "total": counted,
        "queues": counted["by_queue"],
        "completed_last_minute": completed_last_minute(tenant=tenant),
        "success_ratio_last_hour": round(completed / ended, 4) if ended else None,
        "types": [asdict(each) for each in types],
    }


@router.get(
    "/performance",
    auth=needs(Scope.READ),
    response=list[TypePerformanceOut],
    operation_id="getPerformance",
    summary="Get how quickly jobs start and run",
)
def get_performance(request: ApiRequest) -> list[dict[str, Any]]:
    """Return, of the newest 500 completed jobs of each type, how long they waited and ran."""
    return [asdict(each) for each in performance(tenant=request.auth.tenant)]
