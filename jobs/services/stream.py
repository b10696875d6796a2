"""The capped Redis stream of events, written by a thread of each process, off the hot path."""

import atexit
import json
import os
import threading
import time
from queue import Empty, Full, Queue

import redis
import structlog

from jobs.conf import jobs_settings
from jobs.domain.events import Event
from jobs.selectors.event_stream import KEY

logger = structlog.get_logger(__name__)

_CAPACITY = 10_000
_BATCH = 200
_PAUSE_SECONDS = 5.0


class StreamWriter:
    """Appends events in batches; while Redis is away they are dropped, and one warning says so."""

    def __init__(self, url: str, length: int) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
        self._length = length
        self._queue: Queue[Event | None] = Queue(_CAPACITY)
        self._thread = threading.Thread(target=self._run, name="event-stream", daemon=True)
        self._thread.start()

    def append(self, event: Event) -> None:
        """Hand the event to the thread; drop it if the thread is far behind."""
        try:
            self._queue.put_nowait(event)
        except Full:
            logger.debug("event_dropped", event_name=str(event.name))

    def close(self) -> None:
        """Write what is pending, for a second at most."""
        try:
            self._queue.put_nowait(None)
        except Full:
            return
        self._thread.join(timeout=1)

    def _run(self) -> None:
        while batch := self._next_batch():
            events = [event for event in batch if event is not None]
            try:
                self._write(events)
            except redis.RedisError as error:
                logger.warning("event_stream_unreachable", error=str(error))
                time.sleep(_PAUSE_SECONDS)
            if None in batch:
                return

    def _next_batch(self) -> list[Event | None]:
        batch = [self._queue.get()]
        while len(batch) < _BATCH:
            try:
                batch.append(self._queue.get_nowait())
            except Empty:
                break
        return batch

    def _write(self, events: list[Event]) -> None:
        pipeline = self._client.pipeline(transaction=False)
        for event in events:
            told = json.dumps(event.as_json(), separators=(",", ":"), default=str)
            pipeline.xadd(KEY, {"event": told}, maxlen=self._length, approximate=True)
        pipeline.execute()


_writer: tuple[int, StreamWriter] | None = None
_lock = threading.Lock()


def append(event: Event) -> None:
    """Append the event to the stream, soon; a forked process gets a writer of its own."""
    settings = jobs_settings()
    if not settings.redis_url or not settings.event_stream_length or settings.backend != "celery":
        return
    global _writer
    with _lock:
        if _writer is None or _writer[0] != os.getpid():
            writer = StreamWriter(settings.redis_url, settings.event_stream_length)
            _writer = (os.getpid(), writer)
            atexit.register(writer.close)
    _writer[1].append(event)


def flush() -> None:
    """Write what is pending: called where a process ends without `atexit`."""
    global _writer
    with _lock:
        if _writer is not None and _writer[0] == os.getpid():
            _writer[1].close()
            _writer = None
