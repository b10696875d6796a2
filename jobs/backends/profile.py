"""A worker's obedience to its profile: the parent reads it, and shares it with its children."""

import time
from typing import Any

import structlog

from jobs.models import WorkerProfile
from jobs.runtime.worker_process import worker_process
from jobs.selectors.profiles import profile_of

logger = structlog.get_logger(__name__)
_READ_SECONDS = 2.0


class ProfileKeeper:
    """Reads a worker's profile now and then; until the first reading, as if there were none."""

    def __init__(self, worker: Any) -> None:
        """Make it.

        Args:
            worker: Celery's, with its consumer.
        """
        self._worker = worker
        self._shutdown_seconds = worker.app.conf.worker_soft_shutdown_timeout
        self._profile: WorkerProfile | None = None
        self._job_types: frozenset[str] | None = None
        self._next_read = 0.0
        self._could_drain = False
        #: The consumer of the tasks' queues that was told to hear nothing: each connection has one.
        self._silenced: Any = None

    @property
    def name(self) -> str:
        """The profile's name; empty without one."""
        return self._profile.name if self._profile else ""

    @property
    def concurrency(self) -> int | None:
        """The slots that the profile asks for, or allows to a worker that scales."""
        return self._profile.concurrency if self._profile else None

    @property
    def job_types(self) -> frozenset[str] | None:
        """The types of which it takes jobs; None: all."""
        return self._job_types

    @property
    def drains(self) -> bool:
        """Whether the worker should leave as soon as nothing runs.

        Not one that has found it so at its start: it would be started again and again.
        """
        return bool(self._profile and self._profile.draining and self._could_drain)

    def look(self) -> bool:
        """Obey the profile as it is now; return whether it has changed."""
        changed = False
        if time.monotonic() >= self._next_read:
            changed = self._read()
            self._next_read = time.monotonic() + _READ_SECONDS
        self._listen_or_not()
        return changed

    def _read(self) -> bool:
        profile = profile_of(worker_process.profile_name)
        before, self._profile = self._profile, profile
        types = frozenset(profile.job_types) if profile and profile.job_types else None
        if types != self._job_types:
            self._job_types = types
            worker_process.types_version += 1
        worker_process.resting = profile is not None and not profile.takes_jobs
        self._could_drain |= profile is None or not profile.draining
        seconds = profile.graceful_shutdown_seconds if profile else None
        self._worker.app.conf.worker_soft_shutdown_timeout = (
            self._shutdown_seconds if seconds is None else float(seconds)
        )
        changed = _told(before) != _told(profile)
        if changed:
            logger.info("profile_changed", profile=worker_process.profile_name, **_told(profile))
        return changed

    def _listen_or_not(self) -> None:
        """Have the worker hear its queues only while it takes jobs."""
        hears = _hears(self._worker.consumer)
        is_silent = hears is not None and hears is self._silenced
        if worker_process.resting != is_silent:
            self._worker.consumer.call_soon(self._switch)

    def _switch(self) -> None:
        now = _hears(self._worker.consumer)
        if now is None:
            return  # there is no connection: the next look finds the new one
        if worker_process.resting:
            self._silenced = now
            now.cancel()
        elif now is self._silenced:
            self._silenced = None
            now.consume()


def _hears(consumer: Any) -> Any:
    return getattr(consumer, "task_consumer", None)


def _told(profile: WorkerProfile | None) -> dict[str, Any]:
    if profile is None:
        return {}
    return {
        "enabled": profile.enabled,
        "draining": profile.draining,
        "job_types": profile.job_types,
        "concurrency": profile.concurrency,
        "graceful_shutdown_seconds": profile.graceful_shutdown_seconds,
    }
