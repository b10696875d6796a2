"""Figures over HTTP: how many jobs there are, and how they do."""

from dataclasses import asdict
from typing import Any

from ninja import Router

from jobs.api.authentication import ApiRequest, needs
from jobs.domain import wire
from jobs.domain.access import Scope
from jobs.public import stats
from jobs.selectors.performance import TypePerformance, completed_last_minute, performance

router = Router(tags=["figures"], by_alias=True)


@router.get(
    "/stats",
    auth=needs(Scope.READ),
    response=wire.Stats,
    operation_id="getStats",
    summary="Count the jobs",
)
def get_stats(request: ApiRequest) -> dict[str, Any]:
    """Return how many jobs there are by state, type and queue."""
    return stats(tenant=request.auth.tenant)


@router.get(
    "/metrics",
    auth=needs(Scope.READ),
    response=wire.Metrics,
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
        "types": [_told(each) for each in types],
    }


@router.get(
    "/performance",
    auth=needs(Scope.READ),
    response=list[wire.TypePerformance],
    operation_id="getPerformance",
    summary="Get how quickly jobs start and run",
)
def get_performance(request: ApiRequest) -> list[dict[str, Any]]:
    """Return, of the newest 500 completed jobs of each type, how long they waited and ran."""
    return [_told(each) for each in performance(tenant=request.auth.tenant)]


def _told(performance: TypePerformance) -> dict[str, Any]:
    return {
        "type": performance.job_type,
        "sample": performance.sample,
        "run_seconds": asdict(performance.run),
        "wait_seconds": asdict(performance.wait),
        "completed_last_hour": performance.completed_last_hour,
        "failed_last_hour": performance.failed_last_hour,
    }
