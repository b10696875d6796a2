"""The engine's messages in the words of the command line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from jobs.domain import wire
from jobs.domain.errors import DuplicateJob, InvalidOption

_OPTIONS = {
    "delay": "--delay",
    "run_at": "--at",
    "queue": "--queue",
    "idempotency_key": "--key",
    "on_duplicate": "--on-duplicate",
    "on_duplicate='replace'": "--on-duplicate replace",
    "max_attempts": "--max-attempts",
    "timeout": "--timeout",
}
_NAMES = "|".join(map(re.escape, sorted(_OPTIONS, key=len, reverse=True)))
#: What stands in quotes is someone's value; it is found first, so that no name is found in it.
_NAME_OR_VALUE = re.compile(rf"""(?<![\w.])(?:{_NAMES})(?![\w.])|'[^']*'|"[^"]*\"""")


def in_options(message: str) -> str:
    """Return the message with the command line's options in place of the submission's."""
    return _NAME_OR_VALUE.sub(lambda found: _OPTIONS.get(found[0], found[0]), message)


@contextmanager
def told_in_options() -> Iterator[None]:
    """Let what is wrong with an option name it as it was typed."""
    try:
        yield
    except (InvalidOption, DuplicateJob) as error:
        error.args = (in_options(str(error)),)
        raise


def run_time(job: wire.Job) -> timedelta | None:
    """Return how long the last run took, or None while it has not ended."""
    if job.started_at is None or job.finished_at is None:
        return None
    return job.finished_at - job.started_at
