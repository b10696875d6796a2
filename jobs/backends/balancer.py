"""Which worker the next bell of this process goes to: the strategy, and what it has to know."""

import threading
import time
from collections import Counter
from dataclasses import replace

import structlog
from django.db import connection

from jobs.domain.balancing import Candidate, Choice, Strategy
from jobs.selectors.workers import candidates

logger = structlog.get_logger(__name__)
#: What was read of the workers serves for so long, if no bell has been sent since.
_READ_SECONDS = 0.25
#: What was read longer ago is not gone by.
_STALE_SECONDS = 1.0
#: A bell was answered by then: its job shows in what is read of the workers, or has ended. They
#: are read no more often than this.
_ANSWERED_SECONDS = 0.05


class Balancer:
    """Chooses the worker for each bell of one process; for any number of its threads."""

    def __init__(self, strategy: Strategy) -> None:
        self._choice = Choice(strategy)
        self._lock = threading.Lock()
        self._workers: list[Candidate] = []
        self._read_at = float("-inf")
        #: The bells that what was read knows nothing of: when each was sent, and to whom.
        self._sent: list[tuple[float, str]] = []

    def look(self) -> None:
        """Read the workers by one statement on the caller's connection, unless just done.

        Never raises. Not inside a transaction, which a statement that fails would spoil.
        """
        now = time.monotonic()
        with self._lock:
            fresh = now - self._read_at < (_ANSWERED_SECONDS if self._sent else _READ_SECONDS)
            if fresh or connection.in_atomic_block:
                return
            self._read_at = now  # those who come meanwhile need not read as well
        try:
            workers = candidates()
        except Exception as error:  # noqa: BLE001 - a bell must not fail a submission
            logger.warning("workers_unread", error_type=type(error).__name__)
            workers = []
        with self._lock:
            self._workers = workers
            self._sent = [each for each in self._sent if each[0] > now - _ANSWERED_SECONDS]

    def choose(self, queue: str) -> str | None:
        """Return the node name of the worker to wake; None: whoever hears the shared queue."""
        now = time.monotonic()
        with self._lock:
            if now - self._read_at > _STALE_SECONDS:
                return None
            sent = Counter(name for _, name in self._sent)
            workers = [replace(each, busy=each.busy + sent[each.name]) for each in self._workers]
            chosen = self._choice.choose(queue, workers)
            if chosen is not None:
                self._sent.append((now, chosen))
            return chosen
