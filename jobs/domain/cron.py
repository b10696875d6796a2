"""When a cron expression occurs, in a time zone, on the days the clocks change too."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import CroniterBadCronError, CroniterBadDateError, CroniterError, croniter

from jobs.domain.errors import InvalidCron, UnknownTimeZone

_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
_NAMES = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
_LONGEST = 200
#: No clock has ever been changed by more in one step.
_NEAR_CHANGE = timedelta(hours=3)


def zone(name: str) -> ZoneInfo:
    """Return the IANA time zone of that name.

    Raises:
        UnknownTimeZone: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError, AttributeError):
        raise UnknownTimeZone(
            f"time zone {name!r} is not in the IANA database; use a name such as Europe/Berlin"
        ) from None


def check_cron(expression: str) -> None:
    """Do nothing if the expression can be read and ever occurs.

    Raises:
        InvalidCron: it cannot, or it never does; the message says what is wrong.
    """
    if not isinstance(expression, str) or len(expression) > _LONGEST:
        raise InvalidCron(f"a cron expression has at most {_LONGEST} characters")
    _check_form(expression)
    try:
        _next(croniter(expression, datetime(2024, 1, 1)))  # noqa: DTZ001 - a wall clock
    except CroniterBadDateError:
        raise InvalidCron(f"cron {expression!r} never occurs; is the day in that month?") from None
    except (CroniterBadCronError, CroniterError, ValueError, KeyError, AttributeError) as error:
        raise InvalidCron(f"cron {expression!r} cannot be read: {error}") from None


def _check_form(expression: str) -> None:
    if expression.startswith("@"):
        if expression.lower() not in _NAMES:
            raise InvalidCron(
                f"cron {expression!r} is not known; use one of {', '.join(_NAMES)}, or "
                f"{len(_FIELDS)} fields"
            )
        return
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise InvalidCron(
            f"cron {expression!r} has {len(fields)} fields; it needs {len(_FIELDS)}: "
            f"{', '.join(_FIELDS)}"
        )


def next_occurrence(expression: str, timezone: str, after: datetime) -> datetime:
    """Return the first occurrence after a moment, in UTC.

    The expression is read by the wall clock of the zone. On the day clocks go back, a fixed time
    occurs once, the first time it comes; expressions for every hour occur in each real hour. On
    the day clocks go forward, a skipped fixed time occurs at the moment the clocks change.

    Raises:
        InvalidCron: the expression cannot be read.
        UnknownTimeZone: there is no such zone.
    """
    check_cron(expression)
    place = zone(timezone)
    every_hour = _is_every_hour(expression)
    best: datetime | None = None
    for wall in _wall_times(expression, place, after):
        for instant in _instants(wall, place, every_hour=every_hour):
            if instant > after and (best is None or instant < best):
                best = instant
        if best is not None and wall.replace(tzinfo=place).astimezone(UTC) >= best:
            return best
    raise InvalidCron(f"cron {expression!r} never occurs after {after.isoformat()}")


def occurrences(expression: str, timezone: str, after: datetime, count: int) -> list[datetime]:
    """Return the next so many occurrences after a moment, in UTC."""
    found: list[datetime] = []
    while len(found) < count:
        after = next_occurrence(expression, timezone, after)
        found.append(after)
    return found


def _is_every_hour(expression: str) -> bool:
    fields = expression.split()
    return fields[0] == "@hourly" or (len(fields) >= 2 and fields[1].startswith("*"))


def _wall_times(expression: str, place: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Yield the wall-clock times to look at, naive, from before the moment if a change is near."""
    offsets = {
        (after + shift).astimezone(place).utcoffset() for shift in (-_NEAR_CHANGE, _NEAR_CHANGE)
    }
    begin = after.astimezone(place).replace(tzinfo=None)
    if len(offsets) > 1:
        begin -= _NEAR_CHANGE
    iterator = croniter(expression, begin)
    while True:
        try:
            yield _next(iterator)
        except CroniterBadDateError:
            return


def _next(iterator: croniter) -> datetime:
    found: datetime = iterator.get_next(datetime)  # type: ignore[no-untyped-call]
    return found


def _instants(wall: datetime, place: ZoneInfo, *, every_hour: bool) -> list[datetime]:
    """Return the moments at which the wall clock of the zone shows this time, or should have."""
    first = wall.replace(tzinfo=place, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=place, fold=1).astimezone(UTC)
    if first == second:
        return [first]
    skipped = first.astimezone(place).replace(tzinfo=None) != wall
    if skipped:
        return [] if every_hour else [_end_of_gap(second, first, place)]
    return [first, second] if every_hour else [first]


def _end_of_gap(low: datetime, high: datetime, place: ZoneInfo) -> datetime:
    """Return the moment between the two, to the second, at which the zone's offset changes."""
    before = low.astimezone(place).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(place).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
