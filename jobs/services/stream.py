"""The capped Redis stream of events, written by a thread of each process, off the hot path."""

import atexit
import os
import threading
from collections.abc import Sequence

import redis
import structlog
from pydantic_core import to_json

from jobs.conf import jobs_settings
from jobs.domain.events import Event
from jobs.selectors.event_stream import KEY
from jobs.services.gathering import Gatherer

logger = structlog.get_logger(__name__)

#: Events that wait to be written, at most; while Redis cannot keep up, newer ones are dropped.
_CAPACITY = 10_000
_BATCH = 500
#: Events of so long are written together.
_GATHER_SECONDS = 0.02
_PAUSE_SECONDS = 5.0
# One call for many events, each an entry of its own.
_APPEND = """
for place = 2, #ARGV do
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'event', ARGV[place])
end
"""


class StreamWriter:
    """Appends events in batches; while Redis is away they are dropped, and one warning says so."""

    def __init__(self, url: str, length: int) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
        self._append = self._client.register_script(_APPEND)
        self._length = length
        self._gatherer = Gatherer(
            "event-stream", self._write, seconds=_GATHER_SECONDS, capacity=_CAPACITY
        )
        self.append = self._gatherer.add_all
        self.close = self._gatherer.close

    def _write(self, events: Sequence[Event]) -> float:
        told = [text for event in events if (text := _as_text(event)) is not None]
        try:
            for begin in range(0, len(told), _BATCH):
                self._append(keys=[KEY], args=[self._length, *told[begin : begin + _BATCH]])
        except redis.RedisError as error:
            logger.warning("event_stream_unreachable", error=str(error))
            return _PAUSE_SECONDS
        return 0


def _as_text(event: Event) -> bytes | None:
    try:
        return to_json(event.as_json(), fallback=str)
    except ValueError:  # half of a surrogate pair in someone's text
        logger.debug("event_dropped", event_name=str(event.name))
        return None


_writer: tuple[int, StreamWriter] | None = None
_lock = threading.Lock()


def append(events: Sequence[Event]) -> None:
    """Append the events to the stream, soon; a forked process gets a writer of its own."""
    settings = jobs_settings()
    if not settings.redis_url or not settings.event_stream_length or settings.backend != "celery":
        return
    writer = _writer
    if writer is None or writer[0] != os.getpid():
        writer = _make_writer(settings.redis_url, settings.event_stream_length)
    writer[1].append(events)


def _make_writer(url: str, length: int) -> tuple[int, StreamWriter]:
    global _writer
    with _lock:
        if _writer is None or _writer[0] != os.getpid():
            _writer = (os.getpid(), StreamWriter(url, length))
            atexit.register(_writer[1].close)
        return _writer


def flush() -> None:
    """Write what is pending: called where a process ends without `atexit`."""
    global _writer
    with _lock:
        if _writer is not None and _writer[0] == os.getpid():
            _writer[1].close()
            _writer = None
