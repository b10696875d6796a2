"""How full something is, looked at now and then: see `jobs.services.backpressure`."""

import os
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, Final

from django.core.signals import setting_changed

#: The part of the room that a process takes by a look.
SHARE: Final = 8
_LEAST_SHARE: Final = 1000
_GIVEN_SECONDS: Final = 0.1
_FULL_SECONDS: Final = 0.02
#: Looking takes a tenth of the time, at most.
_TIMES_A_LOOK: Final = 10


class Gate:
    """What this process knows of how full something is: a queue, or a tenant's share."""

    def __init__(self, count: Callable[[int], int]) -> None:
        self._count = count
        self._full = False
        self._left = 0
        self._known_until = 0.0

    def admit(self, wanted: int, capacity: int) -> int:
        """Return how many of the wanted jobs the queue has room for, and count them as in it."""
        with _lock:
            if time.monotonic() < self._known_until:
                if self._full:
                    return 0
                if wanted <= self._left:
                    self._left -= wanted
                    return wanted
        # Without the lock: a thread that waits for the database must not hold up the others, whose
        # transactions it may wait for.
        began = time.monotonic()
        room = max(0, capacity - self._count(capacity + 1))
        took = _TIMES_A_LOOK * (time.monotonic() - began)
        fit = min(wanted, room)
        share = min(room, max(1, room // SHARE, capacity // _LEAST_SHARE))
        with _lock:
            self._full = not room
            self._left = max(0, share - fit)
            self._known_until = began + max(took, _GIVEN_SECONDS if room else _FULL_SECONDS)
        return fit


_lock = threading.Lock()
_gates: dict[Hashable, Gate] = {}


def gate_of(name: Hashable, count: Callable[[int], int]) -> Gate:
    """Return what this process knows of what has that name.

    Args:
        name: what it is known by.
        count: returns how many jobs are in it, and counts no further than the limit it is given.
    """
    return _gates.get(name) or _gates.setdefault(name, Gate(count))


def forget() -> None:
    """Look again before the next submission."""
    global _lock
    _lock = threading.Lock()  # the one of before a fork may be held for ever
    _gates.clear()


def _settings_changed(*, setting: str, **_: Any) -> None:
    if setting == "JOBS":
        forget()


setting_changed.connect(_settings_changed, dispatch_uid="jobs.services.gates")
os.register_at_fork(after_in_child=forget)
