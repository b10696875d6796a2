"""The back end for a user's own tests: submitted jobs queue in this process until drained."""

import os
from collections.abc import Collection
from datetime import datetime

from jobs.domain.errors import ConfigurationError
from jobs.domain.registry import registry
from jobs.runtime.executor import run_ready
from jobs.services.doorbell import backend
from jobs.services.taking import Taker
from jobs.services.timekeeping import promote_due


class MemoryBackend:
    """Remembers which queues were rung; `drain` runs their jobs."""

    waits_for_commit = False

    def __init__(self) -> None:
        self.rung: set[str] = set()

    def ring(self, queues: Collection[str], *, anyone: bool = False) -> None:
        """Remember the queues."""
        self.rung.update(queues)

    def waiting(self, queues: Collection[str]) -> set[str] | None:
        """Return those queues that were rung."""
        return set(queues) & self.rung

    def ping(self) -> None:
        """Do nothing: there is no broker."""


def drain(*, now: datetime | None = None) -> int:
    """Run every ready job in this thread, best first, and the jobs that they lead to.

    Args:
        now: pretend that it is this late: delayed jobs and retries due by then run too.

    Returns:
        How many runs there were.

    Raises:
        ConfigurationError: `JOBS["BACKEND"]` is not `memory`.
    """
    current = backend()
    if not isinstance(current, MemoryBackend):
        raise ConfigurationError('drain() needs JOBS["BACKEND"] to be "memory"')
    promote_due(now=now)
    taker = Taker(worker_id=None, pid=os.getpid())
    ran, _ = run_ready(taker, registry.celery_queues(), seconds=float("inf"))
    current.rung.clear()
    return ran
