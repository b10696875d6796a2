"""What a change of a schedule would lead to, and when many schedules run at once."""

from collections import defaultdict
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from jobs.domain.cron import clock_changes
from jobs.domain.errors import JobsError
from jobs.models import Schedule
from jobs.services.schedules import check_schedule, next_run, next_runs

#: Occurrences that are looked at, before a change and after it.
MOST_RUNS = 50
#: Schedules whose runs are counted, and runs of each.
_MOST_SCHEDULES, _MOST_OF_EACH = 1000, 1500
#: Minutes that are told of, those with the most schedules first.
_MOST_MINUTES = 20


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a change of a schedule would lead to.

    Attributes:
        before: its next runs as it is.
        after: its next runs as it would be.
        notes: what to know about them, for people: such as days on which the clocks change.
    """

    before: list[datetime]
    after: list[datetime]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Collision:
    """A minute in which several schedules run.

    Attributes:
        at: the minute.
        schedules: their names, in order.
    """

    at: datetime
    schedules: list[str]


def simulate(schedule: Schedule, changes: dict[str, Any], *, now: datetime) -> Simulation:
    """Return what a change would lead to; nothing is stored.

    Args:
        schedule: as it is; a disabled one is looked at as if it were enabled.
        changes: the new values of its columns.
        now: the moment from which its runs are looked at.

    Raises:
        JobsError: it could not be changed so; see `jobs.services.schedules.save_schedule`.
    """
    changed = copy(schedule)
    for name, value in changes.items():
        setattr(changed, name, value)
    check_schedule(changed)
    before, after = _runs(schedule, now), next_runs(changed, now, MOST_RUNS)
    return Simulation(before, after, list(_notes(changed, now, after)))


def collisions(schedules: QuerySet[Schedule], *, now: datetime, hours: int) -> list[Collision]:
    """Return the minutes in which most of the schedules run, the fullest first, then by time.

    Args:
        schedules: those that are looked at: the enabled ones among them, a thousand at most.
        now: from when on.
        hours: for how long.
    """
    minutes: defaultdict[datetime, set[str]] = defaultdict(set)
    until = now + timedelta(hours=hours)
    for schedule in schedules.filter(enabled=True).order_by("pk")[:_MOST_SCHEDULES]:
        for at in _minutes(schedule, now, until):
            minutes[at].add(schedule.name)
    several = [Collision(at, sorted(names)) for at, names in minutes.items() if len(names) > 1]
    return sorted(several, key=lambda each: (-len(each.schedules), each.at))[:_MOST_MINUTES]


def _runs(schedule: Schedule, now: datetime) -> list[datetime]:
    try:
        return next_runs(schedule, now, MOST_RUNS)
    except JobsError:  # it is kept, and can no longer be read
        return []


def _minutes(schedule: Schedule, now: datetime, until: datetime) -> Iterable[datetime]:
    after = now
    for _ in range(_MOST_OF_EACH):
        try:
            found = next_run(schedule, after)
        except JobsError:  # it is kept, and can no longer be read
            return
        if found is None or found > until:
            return
        minute = found.replace(second=0, microsecond=0)
        yield minute
        after = max(found, minute + timedelta(seconds=59))  # once a minute is enough


def _notes(schedule: Schedule, now: datetime, runs: list[datetime]) -> Iterable[str]:
    if not runs:
        yield "it would not run again"
        return
    for at, shift in clock_changes(schedule.timezone, now, runs[-1]):
        way, what = (
            ("forward", "a fixed time that is skipped runs at the change")
            if shift > 0
            else ("back", "a fixed time that comes twice runs the first time")
        )
        yield (
            f"{at:%Y-%m-%d %H:%M} UTC: the clocks of {schedule.timezone} go {way} by "
            f"{abs(shift) // 60} minutes; {what}"
        )
