"""One process of the site, and where its output goes."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

from jobsite.env import BASE_DIR

#: Called with the child's name and one line of its output.
Sink = Callable[[str, str], None]


class Child:
    """A process that can be started, watched and stopped.

    It leads a process group of its own, so that Ctrl-C in the terminal reaches the supervisor
    alone, which then stops its children in order.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        sink: Sink,
        env: Mapping[str, str] | None = None,
        after: Callable[[], bool] = lambda: True,
    ) -> None:
        """Declare it.

        Args:
            name: for people.
            command: what to run.
            sink: where its lines go.
            env: variables beside those of this process.
            after: holds once it may be started for the first time.
        """
        self.name = name
        self.may_start = after
        self.command = tuple(command)
        self._sink = sink
        self._env = env
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """The process's id, or None before the start."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process."""
        self._process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command,
            cwd=BASE_DIR,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(self._env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"{self.name}-output", daemon=True)
        self._reader.start()

    def exit_code(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        return self._process.poll() if self._process else None

    def stop(self, grace: timedelta) -> bool:
        """Ask the process to end; kill its whole group after the grace period.

        Returns:
            Whether it ended by itself.
        """
        if self._process is None or self._process.poll() is not None:
            return True
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=grace.total_seconds())
        except subprocess.TimeoutExpired:
            return False
        finally:
            self.kill()
        return True

    def kill(self) -> None:
        """Kill the process, if it runs, and what it left behind in its group."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _read(self) -> None:
        if self._process is None or self._process.stdout is None:
            return
        with self._process.stdout as lines:
            for line in lines:
                self._sink(self.name, line.rstrip("\n"))


def wait_until(condition: Callable[[], bool], timeout: timedelta, *, poll: float = 0.05) -> bool:
    """Return True as soon as the condition holds, or False once the time is up."""
    ends = time.monotonic() + timeout.total_seconds()
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(poll)
    return condition()
