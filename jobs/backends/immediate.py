"""The back end for a user's own tests: a submitted job runs at once, inline."""

import os
from collections.abc import Collection

from jobs.runtime.executor import run_ready
from jobs.services.taking import Taker


class ImmediateBackend:
    """Runs ready jobs in the submitting thread, inside its transaction if there is one.

    Delayed jobs and retries stay rows until their time; nothing here waits for it.
    """

    waits_for_commit = False

    def ring(self, queues: Collection[str], *, anyone: bool = False) -> None:
        """Run every ready job of these queues."""
        run_ready(Taker(worker_id=None, pid=os.getpid()), list(queues), seconds=float("inf"))

    def waiting(self, queues: Collection[str]) -> set[str] | None:
        """Return all of them: nothing waits for a ring."""
        return set(queues)

    def ping(self) -> None:
        """Do nothing: there is no broker."""
