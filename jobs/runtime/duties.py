"""What the timekeeper does, by name: each is also done by hand, with `manage.py jobs tick`."""

from datetime import datetime
from typing import Protocol

from jobs.services import batch_life, dependencies, expiry, rescue, scheduling, timekeeping


class Duty(Protocol):
    """One thing that time asks for; safe in any number of processes at once."""

    def __call__(self, *, now: datetime | None = None) -> int:
        """Do what is due by then; return how many jobs, bells or occurrences that were."""


def ring_again(*, now: datetime | None = None) -> int:
    """Ring for queues whose work nobody has taken."""
    return len(timekeeping.ring_again(now=now))


def fire_due(*, now: datetime | None = None) -> int:
    """Make the jobs of schedules whose time has come."""
    scheduling.plan_unplanned(now=now)
    return scheduling.fire_due(now=now)


DUTIES: dict[str, Duty] = {
    "due": timekeeping.promote_due,
    "schedules": fire_due,
    "rings": ring_again,
    "expiry": expiry.expire_overdue,
    "reaper": rescue.reap,
    "dependencies": dependencies.settle_missed,
    "batches": batch_life.end_missed,
}
