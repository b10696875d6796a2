"""Run one of the site's commands as a process of its own, and wait for what it does."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from jobsite.env import BASE_DIR

Found = TypeVar("Found")
POLL_SECONDS = 0.02
#: Every process that was started and not yet ended: a failing test shows their logs.
LIVE: "list[Process]" = []


def eventually(
    predicate: Callable[[], Found | None], timeout: float = 10, *, what: str = ""
) -> Found:
    """Return what `predicate` answers as soon as it is true; fail after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (found := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what or predicate} ({found!r})")
        time.sleep(POLL_SECONDS)
    return found


class Process:
    """A command that runs beside the tests, in a session of its own, with its output in a file."""

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], log: Path) -> None:
        self.name = log.stem
        self.log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                list(command),
                cwd=BASE_DIR,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        LIVE.append(self)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """The exit code; None while it runs."""
        return self._popen.poll()

    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace")

    def tail(self, lines: int = 40) -> str:
        """The last lines of what it has written."""
        return "\n".join(self.output().splitlines()[-lines:])

    def wait_for(self, condition: str | Callable[[], object], timeout: float = 20) -> None:
        """Wait for a text in the output, or for a predicate; fail at once if the process ends."""

        def holds() -> object:
            ended = self.returncode is not None
            found = condition in self.output() if isinstance(condition, str) else condition()
            if ended and not found:
                raise AssertionError(
                    f"{self.name} ended with {self.returncode} before {condition!r}:\n{self.tail()}"
                )
            return found

        try:
            eventually(holds, timeout, what=f"{self.name}: {condition!r}")
        except AssertionError as error:
            error.add_note(self.tail())
            raise

    def wait(self, timeout: float = 20) -> int:
        """Wait until it ends by itself, and return its exit code."""
        return self._popen.wait(timeout)

    def signal(self, number: int) -> None:
        """Send a signal to the process, not to its children."""
        if self.returncode is None:
            self._popen.send_signal(number)

    def kill(self) -> None:
        """Kill it and its children at once, as a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait(10)
        if self in LIVE:
            LIVE.remove(self)

    def terminate(self, timeout: float = 10) -> int:
        """Ask it to end, kill it and its children after `timeout`, and return its exit code."""
        self.signal(signal.SIGTERM)
        try:
            return self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return signal.SIGKILL
        finally:
            self.kill()
