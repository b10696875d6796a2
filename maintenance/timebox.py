"""Calls that are given up when they take too long, each in a thread of its own."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Generic, TypeVar

from django.db import connection, connections

Result = TypeVar("Result")
#: A call that hangs for so long is believed lost, and the next one does not wait for it.
GIVEN_UP_AFTER = timedelta(seconds=30)


class TookTooLong(Exception):
    """The call has not ended in time; it may still be under way."""


class Run(Generic[Result]):
    """One call of a function.

    Attributes:
        function: what is called.
        began: on the monotonic clock, in seconds.
        seconds: how long it took; None until it ended.
    """

    def __init__(self, function: Callable[[], Result]) -> None:
        self.function = function
        self.began = time.monotonic()
        self.seconds: float | None = None
        self._result: Result | None = None
        self._error: Exception | None = None
        self._ended = threading.Event()

    def result(self, *, until: float) -> Result:
        """Return what the function returns, or raise what it raises.

        Args:
            until: how long to wait, on the monotonic clock.

        Raises:
            TookTooLong: it has not ended by then.
        """
        if not self._ended.wait(max(0.0, until - time.monotonic())):
            raise TookTooLong
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # None only if the function returns it

    def call(self, leave: Callable[[], None] = lambda: None) -> None:
        """Call the function, then `leave`; only then has the run ended."""
        try:
            self._result = self.function()
        except Exception as error:  # noqa: BLE001 - raised again where the result is asked for
            self._error = error
        finally:
            self.seconds = time.monotonic() - self.began
            leave()
            self._ended.set()


_lock = threading.Lock()
#: The runs that have not ended: there is one at most of a function, however many ask at once, so
#: that something that hangs does not collect threads.
_under_way: dict[Callable[[], Any], Run[Any]] = {}


def begin(function: Callable[[], Result]) -> Run[Result]:
    """Call the function in a thread, or join the call of it that is under way.

    A thread cannot be ended: one that hangs is left behind, and never holds up the process's end.

    Inside a transaction the call is made here, and is not cut off: on another connection it
    would not see this transaction's rows, and would wait for its locks.
    """
    if connection.in_atomic_block:
        run = Run(function)
        run.call()
        return run
    with _lock:
        known = _under_way.get(function)
        if known and time.monotonic() - known.began < GIVEN_UP_AFTER.total_seconds():
            return known
        run = _under_way[function] = Run(function)
    name = f"timebox {getattr(function, '__name__', '')}"
    threading.Thread(target=run.call, args=[lambda: _leave(run)], name=name, daemon=True).start()
    return run


def _leave(run: Run[Any]) -> None:
    connections.close_all()
    with _lock:
        if _under_way.get(run.function) is run:
            del _under_way[run.function]
