"""Which events a subscription names: by their names, or by how these begin."""

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

from jobs.public import EventName

MOST_PATTERNS = 20


def matches(name: str, patterns: Collection[str]) -> bool:
    """Return whether an event of that name is one of those that are wanted."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def check_patterns(patterns: Sequence[str]) -> None:
    """Do nothing if each of them names at least one event.

    Raises:
        ValueError: one names none; the message lists those there are.
    """
    if not 0 < len(patterns) <= MOST_PATTERNS:
        raise ValueError(f"name 1 to {MOST_PATTERNS} events, such as job.failed or job.*")
    for pattern in patterns:
        plain = isinstance(pattern, str) and set("[]?").isdisjoint(pattern)
        if not plain or not any(fnmatchcase(name, pattern) for name in EventName):
            raise ValueError(
                f"{str(pattern)[:60]!r} names no event; use some of {', '.join(EventName)}, or the "
                "beginning of some and a star, such as job.*"
            )
