"""The workers' rows and leases."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from jobs.conf import jobs_settings
from jobs.domain.events import Event, EventName
from jobs.domain.scaling import Bounds
from jobs.models import Worker
from jobs.selectors.clock import database_now
from jobs.selectors.workers import worker_name
from jobs.services.events import emit

logger = structlog.get_logger(__name__)
#: A lease is renewed three times before it would run out.
RENEWALS_PER_LEASE = 3


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """What a worker says of itself."""

    worker_id: UUID
    name: str
    host: str
    pid: int
    version: str
    python_version: str
    pool: str
    queues: tuple[str, ...]
    concurrency: int
    bounds: Bounds | None
    profile: str
    memory_bytes: int | None
    ailment: str


def renewal_interval() -> timedelta:
    """Return how often a worker renews its lease."""
    return jobs_settings().lease / RENEWALS_PER_LEASE


def renew(info: WorkerInfo) -> bool:
    """Register the worker, or renew its lease, by the database's clock.

    A worker that was believed dead comes back this way; its earlier runs stay lost to it.

    Returns:
        False if it was believed dead until now.
    """
    now = database_now()
    before = Worker.objects.filter(pk=info.worker_id).values("stopped_at", "ailment").first()
    lease = {"seen_at": now, "expires_at": now + jobs_settings().lease, "stopped_at": None}
    columns = {
        "name": info.name,
        "host": info.host,
        "pid": info.pid,
        "version": info.version,
        "python_version": info.python_version,
        "pool": info.pool,
        "queues": list(info.queues),
        "concurrency": info.concurrency,
        "min_concurrency": info.bounds.minimum if info.bounds else None,
        "max_concurrency": info.bounds.maximum if info.bounds else None,
        "profile": info.profile,
        "memory_bytes": info.memory_bytes,
        "ailment": info.ailment,
    }
    Worker.objects.update_or_create(
        pk=info.worker_id,
        defaults={**columns, **lease},
        create_defaults={**columns, **lease, "started_at": now},
    )
    told = {"worker": info.name, "pid": info.pid}
    if before is None:
        emit(Event(EventName.WORKER_ADDED, now, details=told))
        return True
    if before["stopped_at"] is not None or before["ailment"] != info.ailment:
        health = info.ailment or "alive"
        emit(Event(EventName.WORKER_HEALTH_CHANGED, now, details={**told, "health": health}))
    return before["stopped_at"] is None


def announce_scaling(name: str, *, before: int, after: int, why: str) -> None:
    """Tell that a worker has another number of slots now."""
    logger.info("worker_scaled", worker=name, before=before, after=after, why=why)
    details = {"worker": name, "before": before, "after": after, "why": why}
    emit(Event(EventName.WORKER_SCALED, database_now(), details=details))


def leave(worker_id: UUID) -> None:
    """Mark the worker as gone of its own accord."""
    now = database_now()
    if Worker.objects.filter(pk=worker_id, stopped_at__isnull=True).update(stopped_at=now):
        name = worker_name(worker_id)
        emit(Event(EventName.WORKER_REMOVED, now, details={"worker": name}))
