"""How many slots a worker should have: a decision by what waits and how long it takes to run."""

import math
from dataclasses import dataclass

from jobs.domain.errors import ConfigurationError

#: A worker gives slots up only after so many looks in a row at which fewer would have done.
CALM_LOOKS = 3


@dataclass(frozen=True, slots=True)
class Bounds:
    """The fewest and the most slots that a worker may have; at least one.

    Raises:
        ConfigurationError: there is no number between them.
    """

    minimum: int
    maximum: int

    def __post_init__(self) -> None:
        if not 1 <= self.minimum <= self.maximum:
            raise ConfigurationError(
                f"a worker cannot have from {self.minimum} to {self.maximum} slots: MIN_WORKERS "
                "must be at least 1 and not above MAX_WORKERS"
            )

    def hold(self, slots: int) -> int:
        """Return the number within the bounds that is nearest to this one."""
        return min(max(slots, self.minimum), self.maximum)

    def capped(self, most: int | None) -> "Bounds":
        """Return these with another maximum, which the minimum gives way to; None: these."""
        return self if most is None else Bounds(min(self.minimum, most), most)


@dataclass(frozen=True, slots=True)
class Load:
    """What a worker has, and what waits for it.

    Attributes:
        slots: that it has now.
        busy: of these, how many are at a run.
        ready: ready jobs that it may take.
        is_cut: whether there are more, which were not counted.
        run_seconds: how long one of them takes to run, on average; None if that is not known.
        others: slots of other live workers that listen to the same queues.
    """

    slots: int
    busy: int
    ready: int
    is_cut: bool = False
    run_seconds: float | None = None
    others: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do.

    Attributes:
        slots: how many there should be.
        why: in words, for people.
        calm: whether fewer would have done.
    """

    slots: int
    why: str
    calm: bool = False


def decide(load: Load, bounds: Bounds, *, wait_seconds: float, calm_looks: int) -> Decision:
    """Return how many slots there should be.

    Up at once, to what drains the backlog in `wait_seconds`. Down by half of what is too much, and
    only after a while of calm, so that the number does not flutter. More backlog never means fewer
    slots.

    Args:
        load: what there is.
        bounds: of the answer.
        wait_seconds: the time in which a backlog should be drained.
        calm_looks: at how many looks in a row, before this one, fewer slots would have done.
    """
    held = bounds.hold(load.slots)
    if held != load.slots:
        return Decision(held, f"from {bounds.minimum} to {bounds.maximum} are allowed")
    enough = bounds.hold(_enough(load, wait_seconds, bounds.maximum))
    if enough > load.slots:
        return Decision(enough, _backlog_in_words(load, wait_seconds))
    surplus = load.slots - max(enough, bounds.hold(load.busy))
    if surplus <= 0:
        return Decision(load.slots, "as many as are needed")
    if calm_looks + 1 < CALM_LOOKS:
        return Decision(load.slots, "fewer would do, for now", calm=True)
    why = f"{load.busy} of {load.slots} slots busy, {load.ready} jobs ready"
    return Decision(load.slots - math.ceil(surplus / 2), why, calm=True)


def _enough(load: Load, wait_seconds: float, most: int) -> int:
    """Return how many slots would drain the backlog in time, with those of other workers."""
    if load.is_cut:
        return most
    each = wait_seconds if load.run_seconds is None else load.run_seconds
    in_time = math.ceil(load.ready * each / wait_seconds) - load.others
    # A slot beyond those that are busy and those that a ready job could have would be idle.
    return min(in_time, load.busy + load.ready)


def _backlog_in_words(load: Load, wait_seconds: float) -> str:
    count = f"{load.ready}{' or more' if load.is_cut else ''}"
    each = "" if load.run_seconds is None else f" of {load.run_seconds:.3g} s each"
    return f"{count} jobs ready{each}, to be drained in {wait_seconds:g} s"
