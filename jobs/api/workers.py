"""The workers over HTTP."""

from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from ninja import Router

from jobs.api.authentication import ApiRequest, needs, of_the_site
from jobs.api.problems import Problem
from jobs.domain import wire
from jobs.domain.access import Scope
from jobs.models import Worker
from jobs.selectors.clock import database_now
from jobs.selectors.workers import workers

router = Router(tags=["workers"], by_alias=True)


@router.get(
    "",
    auth=needs(Scope.READ),
    response=list[wire.Worker],
    operation_id="listWorkers",
    summary="List the workers",
)
def list_workers(request: ApiRequest) -> list[dict[str, Any]]:
    """Return the workers that have not left, the newest first."""
    of_the_site(request)
    now = database_now()
    return [_told(worker, now) for worker in workers()]


@router.get(
    "/{uuid:worker_id}",
    auth=needs(Scope.READ),
    response=wire.Worker,
    operation_id="getWorker",
    summary="Look at a worker",
)
def get_worker(request: ApiRequest, worker_id: UUID) -> dict[str, Any]:
    """Return a worker."""
    of_the_site(request)
    found = workers().filter(pk=worker_id).first()
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, "worker_not_found", f"there is no worker {worker_id}")
    return _told(found, database_now())


def _told(worker: Worker, now: datetime) -> dict[str, Any]:
    same = (
        "id", "name", "host", "pid", "queues", "concurrency", "min_concurrency", "max_concurrency",
        "pool", "memory_bytes", "version", "started_at", "seen_at",
    )  # fmt: skip
    lost = worker.expires_at <= now
    return {
        **{name: getattr(worker, name) for name in same},
        "health": "lost" if lost else "ailing" if worker.ailment else "healthy",
        "ailment": worker.ailment or None,
        "running": getattr(worker, "running", 0),
        "profile": worker.profile or None,
        "uptime_seconds": max(0.0, (now - worker.started_at).total_seconds()),
    }
