"""Publishes job runs in Celery's event protocol, so that Flower and exporters show jobs."""

import os
import threading
from collections.abc import Sequence
from typing import Any

import structlog
from celery import current_app
from celery.events.event import get_exchange
from celery.utils.time import utcoffset
from kombu import Producer

from jobs.domain.events import Event, EventName, subscribe
from jobs.runtime.worker_process import worker_process

logger = structlog.get_logger(__name__)


#: Events of so long are sent as one message.
_GATHER_SECONDS = 0.1
#: Events that wait, at most; while the broker cannot keep up, newer ones are dropped.
_CAPACITY = 10_000


class CeleryEvents:
    """Sends what happens to jobs in this process as the events of Celery tasks of their name.

    In batches, as Celery's own protocol has it, by a thread: a message for each would cost more
    than a quick job.
    """

    def __init__(self, hostname: str) -> None:
        self._hostname = hostname
        self._to_broker: Producer | None = None
        self._waiting: list[Event] = []
        self._filled = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def listen(self) -> None:
        """Begin to listen to the events of this process."""
        subscribe(
            self,
            EventName.STARTED,
            EventName.COMPLETED,
            EventName.FAILED,
            EventName.RETRYING,
            EventName.CANCELLED,
        )

    def __call__(self, event: Event) -> None:
        """Have the event sent, soon; nothing unless someone asked for events."""
        if not worker_process.publishes_events or event.job_id is None:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="celery-events", daemon=True)
            self._thread.start()
        if len(self._waiting) < _CAPACITY:
            self._waiting.append(event)
            if not self._filled.is_set():
                self._filled.set()

    def close(self) -> None:
        """Send what waits, for a second at most."""
        if self._thread is not None:
            self._closed.set()
            self._filled.set()
            self._thread.join(timeout=1)

    def _run(self) -> None:
        while not self._closed.is_set() or self._waiting:
            self._filled.wait()
            self._closed.wait(_GATHER_SECONDS)
            self._filled.clear()
            count = len(self._waiting)
            events = self._waiting[:count]
            del self._waiting[:count]
            try:
                self._send(events)
            except Exception as error:  # noqa: BLE001 - monitoring must not fail a job
                self._to_broker = None
                logger.warning("celery_event_failed", error_type=type(error).__name__)

    def _send(self, events: Sequence[Event]) -> None:
        forward = current_app.clock.forward  # type: ignore[attr-defined] # the stubs lack it
        common = {"hostname": self._hostname, "pid": os.getpid(), "utcoffset": utcoffset()}
        told = []
        for event in events:
            own = {"uuid": str(event.job_id), "timestamp": event.at.timestamp()}
            for kind, fields in _translated(event):
                told.append({"type": kind, "clock": forward(), **common, **own, **fields})
        if told:
            self._producer().publish(told, routing_key="task.multi", retry=False)

    def _producer(self) -> Producer:
        if self._to_broker is None:
            connection = current_app.connection_for_write()
            exchange = get_exchange(connection, name=current_app.conf.event_exchange)
            self._to_broker = Producer(
                connection, exchange=exchange, serializer=current_app.conf.event_serializer
            )
        return self._to_broker


def _translated(event: Event) -> list[tuple[str, dict[str, Any]]]:
    attempt = int(event.details.get("attempt") or 1)
    runtime = float(event.details.get("duration_seconds") or 0)
    error = str(event.details.get("error_type") or event.details.get("failure_reason") or "")
    match event.name:
        case EventName.STARTED:
            received = {
                "name": event.job_type,
                "args": "()",
                "kwargs": "{}",
                "retries": attempt - 1,
            }
            return [("task-received", received), ("task-started", {})]
        case EventName.COMPLETED:
            return [("task-succeeded", {"result": "stored with the job", "runtime": runtime})]
        case EventName.RETRYING:
            why = f"the next attempt is due at {event.details.get('retry_at', 'once')}"
            return [("task-retried", {"exception": why, "traceback": ""})]
        case EventName.CANCELLED:
            return [("task-revoked", {"terminated": True, "signum": None, "expired": False})]
        case _:
            return [("task-failed", {"exception": error, "traceback": ""})]
