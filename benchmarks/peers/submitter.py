"""The process that submits to one library: takes orders on its input, a JSON object a line.

Standard library only, for it runs in each library's own environment.
"""

import json
import os
import sys
import time
from importlib import import_module
from importlib.metadata import version
from typing import Any, Protocol, cast

_BURST_SECONDS = 0.05


class Library(Protocol):
    """What a module of `libraries` has."""

    #: The distribution whose version is told.
    DISTRIBUTION: str

    def prepare(self) -> None:
        """Make what it needs on an empty database."""

    def submit(self, sent: float) -> None:
        """Submit one job, which calls `record(sent)`."""

    def left(self) -> int:
        """Return how many wait, run or have failed."""


def submit_one_by_one(library: Library, count: int) -> None:
    """Submit so many as fast as they go."""
    for _ in range(count):
        library.submit(time.time())


def submit_paced(library: Library, count: int, per_second: float) -> None:
    """Submit so many at this pace; behind it, as fast as they go."""
    began = time.monotonic()
    for number in range(count):
        time.sleep(max(0, began + number / per_second - time.monotonic()))
        library.submit(time.time())


def submit_bursts(library: Library, count: int, per_second: float) -> None:
    """Submit so many at this pace, those of 50 ms at once, and by one call if the library can."""
    began, submitted = time.monotonic(), 0
    while submitted < count:
        together = min(max(1, round(per_second * _BURST_SECONDS)), count - submitted)
        time.sleep(max(0, began + submitted / per_second - time.monotonic()))
        if hasattr(library, "submit_many"):
            library.submit_many([time.time()] * together)
        else:
            submit_one_by_one(library, together)
        submitted += together


def _obey(library: Library, order: dict[str, Any]) -> Any:
    match order:
        case {"do": "prepare"}:
            library.prepare()
            many = hasattr(library, "submit_many")
            return {"version": version(library.DISTRIBUTION), "bulk": many}
        case {"do": "left"}:
            return library.left()
        case {"do": "submit", "count": count, "per_second": per_second}:
            submit_paced(library, count, per_second)
        case {"do": "submit", "count": count}:
            submit_one_by_one(library, count)
        case {"do": "submit_bursts", "count": count, "per_second": per_second}:
            submit_bursts(library, count, per_second)
        case {"do": "submit_many", "count": count}:
            cast(Any, library).submit_many([time.time()] * count)
        case _:
            raise ValueError(f"there is no such order: {order}")
    return None


def main() -> None:
    """Obey until the input ends; what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    library = cast(Library, import_module(f"benchmarks.peers.libraries.{sys.argv[1]}"))
    for line in sys.stdin:
        began = time.perf_counter()
        answer = _obey(library, json.loads(line))
        seconds = time.perf_counter() - began
        answers.write(json.dumps({"answer": answer, "seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()
