"""Rings that come close upon each other become one: a message costs more than what it tells."""

import atexit
import threading
import time
from collections.abc import Callable, Collection

#: A queue is rung at once if it has been silent for so long; otherwise when so long is over.
INTERVAL_SECONDS = 0.005
#: While a process submits more than `BUSY_PER_SECOND`, this long: messages would take the time of
#: the jobs then, and whoever hears each finds more to do.
LONGEST_SECONDS = 0.02
BUSY_PER_SECOND = 350
#: A ring that took longer finds a broker that is slow: for a second the thread waits for it then,
#: and not who rings.
SLOW_SECONDS = 0.05
_SLOW_FOR_SECONDS = 1.0


class Coalescer:
    """Sends the first ring of a queue at once, and those of the next moments together.

    While the broker is slow, nobody waits for it who rings.

    For one process: its thread does not outlive a fork.

    No ring is left out: one that is held back is sent after all those that it stands for, so
    whoever hears it finds their jobs.
    """

    def __init__(self, send: Callable[[Collection[str]], None]) -> None:
        """Make it.

        Args:
            send: sends a ring to each of the queues; best effort.
        """
        self._broker = send
        self._slow_until = 0.0
        self._next: dict[str, float] = {}
        self._held: set[str] = set()
        self._interval = INTERVAL_SECONDS
        self._count = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def ring(self, queues: Collection[str]) -> None:
        """Ring now, or in a moment."""
        now = time.monotonic()
        with self._changed:
            new = set(queues) - self._held
            soon = now < self._slow_until
            due = {queue for queue in new if not soon and self._next.get(queue, 0.0) <= now}
            self._next.update(dict.fromkeys(due, now + self._interval))
            held = new - due
            self._count += not due
            if held:
                self._held |= held
                self._start()
                self._changed.notify()
        if due:
            self._send(due)

    def flush(self) -> None:
        """Send what is held back."""
        with self._changed:
            held, self._held = self._held, set()
        if held:
            self._send(held)

    def _send(self, queues: Collection[str]) -> None:
        began = time.monotonic()
        self._broker(queues)
        if (now := time.monotonic()) - began > SLOW_SECONDS:
            self._slow_until = now + _SLOW_FOR_SECONDS

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="rings", daemon=True)
            self._thread.start()
            atexit.register(self.flush)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._held))
                due = min(self._next.get(queue, 0.0) for queue in self._held)
            time.sleep(max(0.0, due - time.monotonic()))
            with self._changed:
                longer = min(self._interval * 2, LONGEST_SECONDS)
                busy = self._count > BUSY_PER_SECOND * self._interval
                self._interval = longer if busy else INTERVAL_SECONDS
                self._count = 0
                ends = time.monotonic() + self._interval
                self._next.update(dict.fromkeys(self._held, ends))
            self.flush()
