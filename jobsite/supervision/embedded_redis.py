"""Keeps the embedded Redis running while the site is up."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from jobs.domain.errors import ConfigurationError
from jobsite import embedded
from jobsite.supervision.child import Sink

_INTERVAL_SECONDS = 2


class EmbeddedRedis:
    """The Redis that the site brings along; nothing to do if a URL names another."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._ours = False
        self._next_look = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Have it run; stop it at the end if it was started here.

        Raises:
            ConfigurationError: it cannot run, or not be stopped; the message says why.
        """
        try:
            self._ensure()
            try:
                yield
            finally:
                if self._ours:
                    embedded.stop()
        except embedded.EmbeddedRedisError as error:
            raise ConfigurationError(str(error)) from None

    def watch(self) -> None:
        """Start it again if it has died; looks now and then."""
        if time.monotonic() < self._next_look:
            return
        try:
            if self._ensure():
                self._sink("redis", "had died; started again")
        except embedded.EmbeddedRedisError as error:
            self._sink("redis", str(error))

    def _ensure(self) -> bool:
        """Return whether it had to be started."""
        try:
            server = embedded.ensure_running()
        finally:
            self._next_look = time.monotonic() + _INTERVAL_SECONDS
        started = server is not None and server.started
        self._ours = self._ours or started
        return started
