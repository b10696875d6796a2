"""Following a site's events: what comes between two connections is not missed."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from httpx_sse import EventSource
from pydantic import BaseModel, ConfigDict

from jobs.client.errors import Unreachable
from jobs.client.transport import Transport, raise_for


class Event(BaseModel):
    """One thing that happened. What else there is to say of it is in further attributes."""

    model_config = ConfigDict(extra="allow")

    id: str
    event: str
    at: datetime
    job_id: UUID | None = None
    job_type: str = ""
    state: str = ""
    before: str = ""
    tenant: str = ""


def follow(
    transport: Transport,
    *,
    names: Sequence[str] = (),
    since: str | None = None,
    patience: timedelta = timedelta(minutes=1),
    **filters: Any,
) -> Iterator[Event]:
    """Yield each event as it happens, for ever.

    Args:
        transport: to the site.
        names: those of these names; none: all.
        since: the last event known; `0`: all that is still kept; None: only what happens from now.
        patience: for how long a site that does not answer is tried again.
        **filters: as the API takes them.

    Raises:
        ApiError: the site refuses, or has not answered for so long.
    """
    last, known_at = since, time.monotonic()
    while True:
        headers = {"Last-Event-ID": last} if last else {}
        query = {"event": list(names) or None, **filters}
        try:
            with transport.stream("/jobs/events", query=query, headers=headers) as response:
                if not response.is_success:
                    response.read()
                raise_for(response)
                known_at = time.monotonic()
                for message in EventSource(response).iter_sse():
                    known_at = time.monotonic()
                    if message.id and message.data:
                        last = message.id
                        yield Event.model_validate_json(message.data)
        except (httpx.TransportError, Unreachable) as error:
            if time.monotonic() - known_at > patience.total_seconds():
                raise Unreachable(f"the stream of events is gone: {error}") from error
        time.sleep(0.2)
