"""Publishes job runs in Celery's event protocol, so that Flower and exporters show jobs."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from celery import current_app
from celery.events.event import get_exchange
from celery.utils.time import utcoffset
from kombu import Producer
from pydantic_core import to_json

from jobs.domain.events import Event, EventName, subscribe
from jobs.runtime.worker_process import worker_process
from jobs.services.gathering import Gatherer

logger = structlog.get_logger(__name__)


#: Events of so long are sent as one message.
_GATHER_SECONDS = 0.1
#: Events that wait, at most; while the broker cannot keep up, newer ones are dropped.
_CAPACITY = 10_000
_PAUSE_SECONDS = 1.0


class CeleryEvents:
    """Sends what happens to jobs in this process as the events of Celery tasks of their name.

    In batches, as Celery's own protocol has it, by a thread: a message for each would cost more
    than a quick job.
    """

    def __init__(self, hostname: str) -> None:
        self._hostname = hostname
        self._to_broker: Producer | None = None
        self._gatherer: Gatherer[Event] | None = None

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
        if self._gatherer is None:
            self._gatherer = Gatherer(
                "celery-events", self._send, seconds=_GATHER_SECONDS, capacity=_CAPACITY
            )
        self._gatherer.add(event)

    def close(self) -> None:
        """Send what waits, for a second at most."""
        if self._gatherer is not None:
            self._gatherer.close()

    def _send(self, events: Sequence[Event]) -> float:
        try:
            self._publish(events)
        except Exception as error:  # noqa: BLE001 - monitoring must not fail a job
            self._to_broker = None
            logger.warning("celery_event_failed", error_type=type(error).__name__)
            return _PAUSE_SECONDS
        return 0

    def _publish(self, events: Sequence[Event]) -> None:
        # Rendered here, in half the time that a serializer takes; every receiver of events reads
        # JSON. They are in the order of their times, and so share one tick of the clock.
        tick = current_app.clock.forward()  # type: ignore[attr-defined] # the stubs lack it
        common = _rendered(
            {
                "hostname": self._hostname,
                "pid": os.getpid(),
                "utcoffset": utcoffset(),
                "clock": tick,
            }
        )
        told = []
        for event in events:
            own = f'"uuid":"{event.job_id}","timestamp":{event.at.timestamp()!r},{common}'
            told += [f'{{"type":"{kind}",{own}{fields}}}' for kind, fields in _translated(event)]
        self._producer().publish(
            f"[{','.join(told)}]",
            content_type="application/json",
            content_encoding="utf-8",
            routing_key="task.multi",
            retry=False,
        )

    def _producer(self) -> Producer:
        if self._to_broker is None:
            connection = current_app.connection_for_write()
            exchange = get_exchange(connection, name=current_app.conf.event_exchange)
            self._to_broker = Producer(connection, exchange=exchange)
        return self._to_broker


def _rendered(fields: Mapping[str, Any]) -> str:
    return to_json(fields).decode()[1:-1]


def _translated(event: Event) -> list[tuple[str, str]]:
    """Return the types of Celery's events that say the same, each with its own fields as JSON."""
    told = event.details
    match event.name:
        case EventName.STARTED:
            received = (
                f',"name":"{event.job_type}","args":"()","kwargs":"{{}}"'
                f',"retries":{int(told.get("attempt") or 1) - 1}'
            )
            return [("task-received", received), ("task-started", "")]
        case EventName.COMPLETED:
            runtime = float(told.get("duration_seconds") or 0)
            return [("task-succeeded", f',"result":"stored with the job","runtime":{runtime!r}')]
        case EventName.RETRYING:
            why = f"the next attempt is due at {told.get('retry_at', 'once')}"
            return [("task-retried", f",{_rendered({'exception': why, 'traceback': ''})}")]
        case EventName.CANCELLED:
            return [("task-revoked", ',"terminated":true,"signum":null,"expired":false')]
        case _:
            error = str(told.get("error_type") or told.get("failure_reason") or "")
            return [("task-failed", f",{_rendered({'exception': error, 'traceback': ''})}")]
