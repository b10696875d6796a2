"""Events over HTTP as they happen: server-sent events, from the stream in Redis."""

import json
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from django.db import connection
from django.http import StreamingHttpResponse
from ninja import Header, Router
from ninja import Query as InQuery
from pydantic import Field

from jobs.api.authentication import ApiRequest, needs
from jobs.api.parsing import Query
from jobs.api.problems import Problem
from jobs.conf import jobs_settings
from jobs.domain.access import Scope
from jobs.domain.errors import ConfigurationError
from jobs.domain.events import EventName
from jobs.selectors.event_stream import NEWEST, follow

router = Router(tags=["jobs"], by_alias=True)
#: How long an answer waits for its first event, at most.
_PAUSE: Final = timedelta(seconds=0.2)
#: How long nothing may be sent: proxies end what is silent for longer.
_SILENCE: Final = timedelta(seconds=15)
_PLACE: Final = r"^\d{1,20}(-\d{1,20})?$"
_PLACES = Annotated[str, Field(pattern=_PLACE)]
_DOCUMENTED: Final[dict[str, Any]] = {
    "responses": {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}
}
_open = 0
_lock = threading.Lock()


class EventQuery(Query):
    """Which events are wanted."""

    event: list[EventName] = Field(default=[], description="Those of these names; none: all.")
    type: Annotated[str, Field(max_length=100)] | None = None
    job_id: UUID | None = None
    last_event_id: _PLACES | None = Field(
        default=None,
        description="The last event known, as the header `Last-Event-ID` has it; `0`: all that is "
        "still kept. Without either, only what happens from now on.",
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which events are sent."""

    names: frozenset[str]
    job_type: str | None
    job_id: str | None
    tenant: str

    def fits(self, event: dict[str, Any]) -> bool:
        """Return whether an event is one of them."""
        return (
            (not self.names or event.get("event") in self.names)
            and self.job_type in {None, event.get("job_type")}
            and self.job_id in {None, event.get("job_id")}
            and (not self.tenant or event.get("tenant") == self.tenant)
        )


@router.get(
    "/events",
    auth=needs(Scope.READ),
    operation_id="followEvents",
    summary="Follow what happens",
    openapi_extra=_DOCUMENTED,
)
def follow_events(
    request: ApiRequest,
    query: InQuery[EventQuery],
    last_event_id: Annotated[_PLACES | None, Header(alias="Last-Event-ID")] = None,
) -> StreamingHttpResponse:
    """Send each event as it happens, as server-sent events: `id`, `event`, and `data` in JSON.

    The stream ends after some minutes; go on from where it was with the header `Last-Event-ID`, as
    browsers do by themselves. An event may be lost; the job that it tells of is not.
    """
    wanted = _Wanted(
        names=frozenset(map(str, query.event)),
        job_type=query.type,
        job_id=str(query.job_id) if query.job_id else None,
        tenant=request.auth.tenant,
    )
    since = last_event_id or query.last_event_id or NEWEST
    _begin()
    try:
        events = follow(since=since, pause=_PAUSE)
        first = next(events)  # a stream that cannot be read is told as an error, not in its midst
    except BaseException:
        _end()
        raise
    if not connection.in_atomic_block:
        connection.close()  # nothing more is asked of the database, for minutes
    response = StreamingHttpResponse(
        _Stream(_written(first, events, wanted), _end), content_type="text/event-stream"
    )
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def _written(
    first: dict[str, Any] | None, events: Iterator[dict[str, Any] | None], wanted: _Wanted
) -> Iterator[bytes]:
    """Yield what is sent."""
    ends = time.monotonic() + jobs_settings().api_stream_seconds
    said = time.monotonic()
    yield b"retry: 1000\n\n"
    event = first
    while True:
        now = time.monotonic()
        if event is not None and wanted.fits(event):
            yield _as_message(event)
            said = now
        elif now - said > _SILENCE.total_seconds():
            yield b": nothing new\n\n"
            said = now
        if now > ends:
            return
        try:
            event = next(events)
        except (StopIteration, ConfigurationError):
            return  # the reader comes again, and is told then


def _as_message(event: dict[str, Any]) -> bytes:
    data = json.dumps(event, ensure_ascii=False)
    return f"id: {event['id']}\nevent: {event['event']}\ndata: {data}\n\n".encode()


class _Stream:
    """What is sent; its place goes to another once it is closed, read to its end or forgotten."""

    def __init__(self, chunks: Iterator[bytes], on_close: Callable[[], None]) -> None:
        self._chunks = chunks
        #: Gives the place back, once; also if the response is dropped without having been closed.
        self.close = weakref.finalize(self, on_close)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        finally:
            self.close()


def _begin() -> None:
    """Take one of the process's places for streams: each holds a thread.

    Raises:
        Problem: all are taken.
    """
    global _open
    with _lock:
        if _open >= jobs_settings().api_streams:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "too_many_streams",
                "as many streams are open as this process may have (API_STREAMS); try again soon",
                headers={"Retry-After": "5"},
            )
        _open += 1


def _end() -> None:
    global _open
    with _lock:
        _open -= 1
