"""From what was asked for to the period of the digest and the one before it."""

from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from jobs.contrib.digests.activity import Window

Period = Literal["day", "week", "month"]


def periods_ending(end: datetime, period: Period, zone: ZoneInfo) -> tuple[Window, Window]:
    """Return the day, week or calendar month that ends at `end`, and the one before it.

    The steps are taken on the wall clock of the time zone: a day may have 23 or 25 hours, and a
    month before 31 March begins on the last day of February.
    """
    local = end.astimezone(zone)
    middle, first = (_step_back(local, period, steps) for steps in (1, 2))
    return Window(middle, end), Window(first, middle)


def period_between(start: datetime, end: datetime) -> tuple[Window, Window]:
    """Return the period from `start` to `end`, and the one of the same length before it."""
    return Window(start, end), Window(start - (end - start), start)


def _step_back(local: datetime, period: Period, steps: int) -> datetime:
    if period != "month":
        return local - timedelta(days=steps * (1 if period == "day" else 7))
    months = local.year * 12 + local.month - 1 - steps
    first = local.replace(year=months // 12, month=months % 12 + 1, day=1)
    last_day = ((first + timedelta(days=31)).replace(day=1) - timedelta(days=1)).day
    return first.replace(day=min(local.day, last_day))
