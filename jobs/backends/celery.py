"""The back end for real use: a ring is a Celery message that names no job."""

import os
import time
from collections.abc import Collection, Mapping
from typing import Any

import structlog
from celery import current_app
from kombu import Connection

from jobs.backends.balancer import Balancer
from jobs.backends.coalescing import Coalescer
from jobs.backends.direct import direct_queue
from jobs.conf import jobs_settings

DOORBELL = "jobs.doorbell"
#: After a failed ring no other is tried for so long: a broker that hangs costs 2 s once.
_QUIET_SECONDS = 5.0

logger = structlog.get_logger(__name__)


class CeleryBackend:
    """Rings through the app's broker, best effort: the timekeeper makes up for what is missed."""

    waits_for_commit = True

    def __init__(self) -> None:
        self._quiet_until = 0.0
        self._coalescers: dict[int, Coalescer] = {}
        self._balancer: Balancer | None = None

    def ring(self, queues: Collection[str], *, anyone: bool = False) -> None:
        """Send a doorbell message to each queue, or one for many rings in a row.

        Unless `BALANCING` is `pull`, and unless anyone is to hear it, the message goes to the
        worker that is chosen to take.
        """
        # One a process: a fork may have been made while another thread held the lock of this one.
        pid = os.getpid()
        if pid not in self._coalescers:
            strategy = jobs_settings().balancing
            self._balancer = Balancer(strategy) if strategy != "pull" else None
            self._coalescers = {pid: Coalescer(self._send)}
        if self._balancer is not None:
            if anyone:
                self._deliver(dict.fromkeys(queues))
                return
            self._balancer.look()
        self._coalescers[pid].ring(queues)

    def _send(self, queues: Collection[str]) -> None:
        choose = self._balancer.choose if self._balancer is not None else None
        self._deliver({queue: choose(queue) if choose else None for queue in queues})

    def _deliver(self, bells: Mapping[str, str | None]) -> None:
        """Send a bell of each queue to the worker that is named beside it, or to whoever hears."""
        if time.monotonic() < self._quiet_until:
            return
        try:
            for queue, worker in bells.items():
                heard_in: Any = {"queue": queue}
                if worker is not None:
                    heard_in = {"queue": direct_queue(worker), "headers": {"job_queue": queue}}
                current_app.send_task(DOORBELL, retry=False, ignore_result=True, **heard_in)
        except Exception as error:  # noqa: BLE001 - kombu's transports raise many things
            self._quiet_until = time.monotonic() + _QUIET_SECONDS
            logger.warning("ring_failed", error_type=type(error).__name__)

    def waiting(self, queues: Collection[str]) -> set[str] | None:
        """Return those queues whose Celery queue is not empty."""
        if time.monotonic() < self._quiet_until:
            return None
        if not queues:
            return set()
        try:
            with current_app.connection_or_acquire() as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
                return _with_messages(connection, queues)
        except Exception as error:  # noqa: BLE001 - as above
            self._quiet_until = time.monotonic() + _QUIET_SECONDS
            logger.warning("broker_unreachable", error_type=type(error).__name__)
            return None

    def ping(self) -> None:
        """Do nothing if the broker answers; raise `ConnectionError` if it does not."""
        try:
            with current_app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
        except Exception as error:  # noqa: BLE001 - as above
            raise ConnectionError(
                f"the broker does not answer ({type(error).__name__}); is it running, and is "
                "BROKER_URL right?"
            ) from None


def _with_messages(connection: Connection, queues: Collection[str]) -> set[str]:
    channel: Any  # each transport has its own class
    with connection.channel() as channel:
        if hasattr(channel, "_size"):
            # kombu's own transports: their passive declare does not know a `global_keyprefix`.
            return {queue for queue in queues if channel._size(queue)}
    return {queue for queue in queues if _messages(connection, queue)}


def _messages(connection: Connection, queue: str) -> int:
    channel: Any
    # One for each queue: the broker closes it when there is no such queue.
    with connection.channel() as channel:
        try:
            return int(channel.queue_declare(queue=queue, passive=True).message_count)
        except connection.channel_errors:
            return 0
