"""What many calls hand over, sent together by a thread: off the path of who hands it over."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Gatherer(Generic[T]):
    """Gathers for a moment, then sends. For one process: its thread does not outlive a fork."""

    def __init__(
        self, name: str, send: Callable[[Sequence[T]], float], *, seconds: float, capacity: int
    ) -> None:
        """Make it.

        Args:
            name: of the thread.
            send: sends what was gathered; it must not raise. It returns for how many seconds to
                leave the other side alone.
            seconds: how long to gather.
            capacity: how many may wait; while nothing can be sent, newer ones are dropped.
        """
        self._send = send
        self._seconds = seconds
        self._capacity = capacity
        self._waiting: list[T] = []
        self._filled = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def add(self, item: T) -> None:
        """Hand over one thing; it is dropped if the thread is far behind."""
        self.add_all((item,))

    def add_all(self, items: Sequence[T]) -> None:
        """Hand over several; those are dropped for which there is no room."""
        room = self._capacity - len(self._waiting)
        if room > 0:
            self._waiting.extend(items[:room])
            if not self._filled.is_set():
                self._filled.set()

    def close(self) -> None:
        """Send what waits, for a second at most."""
        self._closed.set()
        self._filled.set()
        self._thread.join(timeout=1)

    def _run(self) -> None:
        while not self._closed.is_set() or self._waiting:
            self._filled.wait()
            self._closed.wait(self._seconds)
            self._filled.clear()
            # In place: whoever adds may have hold of the list by now.
            count = len(self._waiting)
            items = self._waiting[:count]
            del self._waiting[:count]
            if items:
                self._closed.wait(self._send(items))
