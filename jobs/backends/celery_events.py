"""Publishes job runs in Celery's event protocol, so that Flower and exporters show jobs."""

from typing import Any

import structlog
from celery import current_app
from celery.events import EventDispatcher

from jobs.domain.events import Event, EventName, subscribe
from jobs.runtime.worker_process import worker_process

logger = structlog.get_logger(__name__)


class CeleryEvents:
    """Sends what happens to jobs in this process as the events of Celery tasks of their name."""

    def __init__(self, hostname: str) -> None:
        self._hostname = hostname
        self._dispatcher: EventDispatcher | None = None

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
        """Send what Celery would have sent; nothing unless someone asked for events."""
        if not worker_process.publishes_events or event.job_id is None:
            return
        try:
            for kind, fields in _translated(event):
                self._sender().send(kind, uuid=str(event.job_id), **fields)
        except Exception as error:  # noqa: BLE001 - monitoring must not fail a job
            self._dispatcher = None
            logger.warning("celery_event_failed", error_type=type(error).__name__)

    def _sender(self) -> EventDispatcher:
        if self._dispatcher is None:
            self._dispatcher = current_app.events.Dispatcher(
                current_app.connection_for_write(), hostname=self._hostname
            )
        return self._dispatcher


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
            # The dispatcher adds this process's pid to each by itself.
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
