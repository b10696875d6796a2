"""Reading the stream of events that every process writes to."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import redis

from jobs.conf import jobs_settings
from jobs.domain.errors import ConfigurationError

#: The stream's key; each entry has one field, `event`, a JSON object (`Event.as_json`).
KEY = "jobsite:events"
#: Only what comes from now on.
NEWEST = "$"
_AT_ONCE = 500


def follow(
    *, since: str = NEWEST, pause: timedelta = timedelta(seconds=1)
) -> Iterator[dict[str, Any] | None]:
    """Yield each event as it comes, with its place in the stream as `id`; None after each pause.

    Args:
        since: the id of the last event known; `0` for all that the stream still holds.
        pause: how long to wait for an event before None is yielded, so that callers can stop.

    Raises:
        ConfigurationError: there is no stream, or Redis does not answer.
    """
    settings = jobs_settings()
    if not settings.redis_url or not settings.event_stream_length:
        raise ConfigurationError(
            "there is no event stream: it needs REDIS_URL, and EVENT_STREAM_LENGTH above 0"
        )
    milliseconds = max(1, int(pause / timedelta(milliseconds=1)))
    client = redis.Redis.from_url(settings.redis_url, socket_timeout=pause.total_seconds() + 5)
    try:
        with client:
            # "$" means the end at each call: what comes between two calls would be missed.
            last = _end(client) if since == NEWEST else since
            while True:
                entries = _read(client, last, milliseconds)
                for place, told in entries:
                    last = place
                    yield {"id": place, **told}
                if not entries:
                    yield None
    except redis.RedisError as error:
        raise ConfigurationError(f"Redis does not answer ({error}); is it running?") from None


def _end(client: redis.Redis) -> str:
    newest: Any = client.xrevrange(KEY, count=1)
    return newest[0][0].decode() if newest else "0"


def _read(client: redis.Redis, last: str, milliseconds: int) -> list[tuple[str, dict[str, Any]]]:
    answer: Any = client.xread({KEY: last}, count=_AT_ONCE, block=milliseconds)
    streams = answer.items() if isinstance(answer, dict) else (answer or [])
    entries = []
    for _, found in streams:
        for place, fields in found:
            entries.append((place.decode(), json.loads(fields[b"event"])))
    return entries
