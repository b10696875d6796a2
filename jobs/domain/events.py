"""The events of a job's life, and who listens to them in this process."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

logger = logging.getLogger(__name__)


class EventName(StrEnum):
    """What can happen."""

    CREATED = "job.created"
    QUEUED = "job.queued"
    STARTED = "job.started"
    PROGRESS_UPDATED = "job.progress_updated"
    COMPLETED = "job.completed"
    FAILED = "job.failed"
    CANCELLED = "job.cancelled"
    #: Submissions that were refused: no row, so no commit; it is told in this process alone.
    REJECTED = "job.rejected"
    RETRYING = "job.retrying"
    SCHEDULE_EXECUTED = "schedule_executed"
    WORKER_ADDED = "worker_added"
    WORKER_REMOVED = "worker_removed"
    WORKER_HEALTH_CHANGED = "worker_health_changed"
    WORKER_SCALED = "worker_scaled"
    QUEUE_PAUSED = "queue_paused"
    QUEUE_RESUMED = "queue_resumed"
    BATCH_FINISHED = "batch_finished"
    BREAKER_OPENED = "breaker_opened"
    BREAKER_CLOSED = "breaker_closed"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, once its transaction was committed.

    Attributes:
        name: what happened.
        at: when, aware.
        job_id: the job; None for an event of the system.
        job_type: the job's type, or empty.
        state: the state the job is in now, or empty.
        before: the state it came from, or empty.
        tenant: whose it is: a tenant's slug, or empty.
        details: what else there is to say; never parameters, never results.
    """

    name: EventName
    at: datetime
    job_id: UUID | None = None
    job_type: str = ""
    state: str = ""
    before: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    tenant: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the event as a JSON object."""
        return {
            "event": str(self.name),
            "at": self.at.isoformat(),
            "job_id": str(self.job_id) if self.job_id else None,
            "job_type": self.job_type,
            "state": self.state,
            "before": self.before,
            "tenant": self.tenant,
            **self.details,
        }


class Sink(Protocol):
    """Takes events in the transaction that makes them: what it stores is stored with them."""

    def wants(self) -> bool:
        """Return whether it would take any event now; asked often, so it must cost nothing."""

    def take(self, events: Sequence[Event]) -> None:
        """Store what becomes of the events. What it raises fails the change that they tell of."""


_sinks: list[Sink] = []


def add_sink(sink: Sink) -> None:
    """Have a sink take every event of this process."""
    if sink not in _sinks:
        _sinks.append(sink)


def wanting() -> list[Sink]:
    """Return the sinks that would take an event now."""
    return [sink for sink in _sinks if sink.wants()] if _sinks else []


Listener = Callable[[Event], None]
_listeners: dict[EventName, tuple[Listener, ...]] = {}


def subscribe(listener: Listener, *names: EventName | str) -> Callable[[], None]:
    """Call the listener with each event of these names (all, if none is named) in this process.

    It is called after the commit, in the thread that made the event, so it must be quick. What it
    raises is logged and goes no further.

    Returns:
        A function that ends the subscription.

    Raises:
        ValueError: there is no event of that name.
    """
    wanted = frozenset(EventName(name) for name in names or EventName)
    for name in wanted:
        _listeners[name] = (*_listeners.get(name, ()), listener)

    def unsubscribe() -> None:
        for name in wanted:
            left = list(_listeners[name])
            if listener in left:
                left.remove(listener)
            _listeners[name] = tuple(left)

    return unsubscribe


def dispatch(event: Event) -> None:
    """Call every listener that asked for this event."""
    for listener in _listeners.get(event.name, ()):
        try:
            listener(event)
        except Exception:
            logger.exception("event_listener_failed", extra={"event_name": str(event.name)})
