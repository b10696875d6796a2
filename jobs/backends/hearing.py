"""Whether a worker still hears its bells: one may beat and consume no more.

Such workers are known from celery#8030, #8091 and #10205: the connection is there, the heart
beats, and no message is ever delivered again.
"""

import time
from collections.abc import Collection

from jobs.services.doorbell import waiting_rings


class Hearing:
    """Notes what is heard, and says when a worker must be deaf."""

    def __init__(self, patience_seconds: float) -> None:
        """Make it.

        Args:
            patience_seconds: for how long bells may wait unheard while a slot is free.
        """
        self._patience = patience_seconds
        self._heard = time.monotonic()
        self._unheard_since: float | None = None
        self._next_look = 0.0

    def heard(self) -> None:
        """Note that a message was delivered."""
        self._heard = time.monotonic()

    def is_deaf(self, queues: Collection[str], *, has_free_slot: bool) -> bool:
        """Return whether bells of these queues have waited for too long; looks now and then."""
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + self._patience / 5
        waiting = waiting_rings(queues) if has_free_slot else None
        if not waiting:
            self._unheard_since = None
            return False
        if self._unheard_since is None or self._heard > self._unheard_since:
            self._unheard_since = now
        return now - self._unheard_since >= self._patience
