"""Starts the site's processes in order, starts again what dies, stops them in the other order."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from jobs.domain.errors import ConfigurationError
from jobsite.env import environment
from jobsite.supervision.child import Child, Sink

#: What a worker's running jobs get, and a little more.
GRACE = timedelta(seconds=environment().worker_shutdown_seconds + 7)
_FIRST_WAIT = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(seconds=30)
#: A process that ran for so long is not in a crash loop.
_SETTLED = timedelta(seconds=60)


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that the site is started once on it.

    Raises:
        ConfigurationError: another process holds it, or the folder cannot be written.
    """
    path = folder / "up.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise ConfigurationError(
            f"the data folder {folder} cannot be written ({error.strerror}): make it writable, or "
            "name another one in JOBSITE_VAR"
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise ConfigurationError(
                f"the site is up already on {folder}, by process {file.read().strip()}: stop that "
                "one first, or name another folder in JOBSITE_VAR"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


class Supervisor:
    """Keeps children running."""

    def __init__(
        self, children: Sequence[Child], *, sink: Sink, also_watch: Callable[[], None]
    ) -> None:
        self._children = list(children)
        self._sink = sink
        self._also_watch = also_watch
        self._started: dict[str, float] = {}
        self._waits: dict[str, timedelta] = {}
        self._start_again: dict[str, float] = {}
        self._held = list(self._children)

    def start(self) -> None:
        """Start every child that may be started, in order; `watch` starts the others."""
        for child in [each for each in self._held if each.may_start()]:
            self._held.remove(child)
            self._start(child)

    def watch(self) -> None:
        """Start what was held back; start again what has died, each time after a longer wait."""
        self._also_watch()
        self.start()
        now = time.monotonic()
        for child in self._children:
            due = self._start_again.get(child.name)
            if due is not None:
                if now >= due:
                    self._start(child)
            elif (code := child.exit_code()) is not None:
                child.kill()  # the children that it left, which may hold its port
                settled = now - self._started[child.name] > _SETTLED.total_seconds()
                wait = _FIRST_WAIT if settled else self._waits.get(child.name, _FIRST_WAIT)
                self._waits[child.name] = min(wait * 2, _LONGEST_WAIT)
                self._start_again[child.name] = now + wait.total_seconds()
                self._sink(
                    child.name, f"ended with {code}; starts again in {wait.total_seconds():g} s"
                )

    def stop(self) -> None:
        """Stop every child, the last started first; kill them all if that is interrupted."""
        try:
            for child in reversed(self._children):
                if not child.stop(GRACE):
                    self._sink(
                        child.name, f"did not end within {GRACE.total_seconds():g} s: killed"
                    )
        finally:
            for child in self._children:
                child.kill()

    def _start(self, child: Child) -> None:
        self._start_again.pop(child.name, None)
        child.start()
        self._started[child.name] = time.monotonic()
