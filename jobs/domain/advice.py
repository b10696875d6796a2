"""Where what is measured contradicts what is set, and what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.domain.capacity import MEMORY_RATIO, Inputs, Plan


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """What waits in a queue.

    Attributes:
        name: the queue's.
        ready: jobs that wait in it.
        oldest_seconds: for how long its oldest job has waited; 0 without one.
        capacity: jobs that it may hold; 0 for any number.
        is_paused: whether nothing is to be taken from it.
    """

    name: str
    ready: int
    oldest_seconds: float
    capacity: int
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """What the site is at.

    Attributes:
        slots: of all live workers.
        slots_here: of those on this machine.
        queues: what waits.
    """

    slots: int
    slots_here: int
    queues: tuple[QueueLoad, ...]


def advice(inputs: Inputs, plan: Plan, observed: Observed) -> list[str]:
    """Return a line for each contradiction; none if all is well.

    High load: a larger queue and more workers, while the memory is watched. Low latency: a smaller
    queue, and more workers.
    """
    return [*_of_slots(inputs, plan, observed), *_of_queues(inputs, plan, observed)]


def _of_slots(inputs: Inputs, plan: Plan, observed: Observed) -> Iterator[str]:
    utilisation = inputs.busy_slots / observed.slots if observed.slots else 0
    if utilisation > inputs.target_utilisation_ratio:
        yield (
            f"High load: {inputs.busy_slots:.3g} of {observed.slots} slots are needed, more than "
            f"{inputs.target_utilisation_ratio:.0%}. Run more workers (this machine has "
            f"room for {plan.slots} slots: JOBSITE_WORKERS={plan.slots}), allow a larger queue "
            f"(JOBSITE_QUEUE_SIZE={plan.queue_size}), and watch the memory."
        )
    needed = (observed.slots_here + 1) * inputs.slot_bytes
    if observed.slots_here and needed > MEMORY_RATIO * inputs.memory_bytes:
        yield (
            f"Memory: {observed.slots_here} slots need {needed / 2**30:.1f} GiB, more than "
            f"{MEMORY_RATIO:.0%} of the {inputs.memory_bytes / 2**30:.1f} GiB of this machine. Run "
            f"fewer here (JOBSITE_WORKERS={plan.slots})."
        )


def _of_queues(inputs: Inputs, plan: Plan, observed: Observed) -> Iterator[str]:
    wait = inputs.target_wait_seconds
    for queue in observed.queues:
        if queue.capacity and queue.ready > queue.capacity:
            yield (
                f"Queue {queue.name} has {queue.ready} ready jobs, more than its capacity of "
                f"{queue.capacity}: submissions are refused. Run more workers, or allow a larger "
                "queue (JOBSITE_QUEUE_SIZE)."
            )
        if queue.oldest_seconds > wait and not queue.is_paused:
            yield (
                f"Latency: the oldest job of queue {queue.name} has waited for "
                f"{queue.oldest_seconds:.0f} s, longer than {wait:g} s (QUEUE_WAIT_SECONDS). Run "
                "more workers; a smaller queue refuses what would wait for so long."
            )
    largest = max((queue.capacity for queue in observed.queues), default=0)
    if inputs.busy_slots and observed.slots:
        lasts = largest * inputs.mean_run_seconds / observed.slots
        if lasts > 2 * wait and largest > plan.queue_size:
            yield (
                f"Latency: a full queue of {largest} jobs takes {lasts:.0f} s, longer than "
                f"{wait:g} s (QUEUE_WAIT_SECONDS). Make it smaller "
                f"(JOBSITE_QUEUE_SIZE={plan.queue_size}), and run more workers."
            )
