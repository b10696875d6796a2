"""Which worker a bell wakes, by the site's strategy."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import randrange
from typing import Literal

from jobs.domain.turns import Turns

Strategy = Literal["pull", "round_robin", "least_loaded", "weighted"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A worker that may be woken.

    Attributes:
        name: Celery's node name, `celery@host`.
        queues: those that it takes jobs from.
        slots: jobs that it can run at once.
        busy: slots that are taken.
    """

    name: str
    queues: frozenset[str]
    slots: int
    busy: int


class Choice:
    """Chooses by a strategy; each queue has turns of its own. Not for several threads at once."""

    def __init__(self, strategy: Strategy, skip: Callable[[int], int] = randrange) -> None:
        """Make it.

        Args:
            strategy: `round_robin`: in turns; `least_loaded`: where the smallest part of the slots
                is taken, equals in turns; `weighted`: in turns, in proportion to the slots.
            skip: as for `Turns`.
        """
        self._strategy = strategy
        self._turns: dict[str, Turns[str]] = defaultdict(lambda: Turns(skip))

    def choose(self, queue: str, workers: Sequence[Candidate]) -> str | None:
        """Return the name of the worker that a bell of this queue wakes.

        None if no worker that listens to the queue has a free slot: whoever has one first is to
        hear the bell then.
        """
        listening = [worker for worker in workers if queue in worker.queues]
        free = [worker for worker in listening if worker.busy < worker.slots]
        if not free:
            return None
        if self._strategy == "least_loaded":
            least = min(worker.busy / worker.slots for worker in free)
            free = [worker for worker in free if worker.busy / worker.slots == least]
        by_slots = self._strategy == "weighted"
        turns = self._turns[queue]
        turns.forget_all_but({worker.name for worker in listening})
        return turns.next({worker.name: worker.slots if by_slots else 1 for worker in free})
