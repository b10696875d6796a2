"""When a cron expression occurs, in a time zone, on the days the clocks change too."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import CroniterBadCronError, CroniterBadDateError, CroniterError, croniter

from jobs.domain.errors import InvalidCron, UnknownTimeZone

_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
_WITH_SECONDS = ("second", *_FIELDS)
_NAMES = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
_LONGEST = 200
_SOME_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - a wall clock
_UNREADABLE = (CroniterBadCronError, CroniterError, ValueError, KeyError, AttributeError)
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
        _next(_iterator(expression, _SOME_DAY))
    except CroniterBadDateError:
        raise InvalidCron(f"cron {expression!r} never occurs; is the day in that month?") from None
    except _UNREADABLE as error:
        where = _place_of_error(expression)
        raise InvalidCron(f"cron {expression!r} cannot be read{where}: {error}") from None


def _place_of_error(expression: str) -> str:
    """Return which field cannot be read, for people; empty if each can by itself."""
    fields = expression.split()
    names = _FIELDS if len(fields) == len(_FIELDS) else _WITH_SECONDS
    for place, (name, field) in enumerate(zip(names, fields, strict=False)):
        alone = ["*"] * len(fields)
        alone[place] = field
        try:
            _next(_iterator(" ".join(alone), _SOME_DAY))
        except CroniterBadDateError:
            continue
        except _UNREADABLE:
            return f" in field {place + 1}, the {name} {field!r}"
    return ""


def _check_form(expression: str) -> None:
    if expression.startswith("@"):
        if expression.lower() not in _NAMES:
            raise InvalidCron(
                f"cron {expression!r} is not known; use one of {', '.join(_NAMES)}, or "
                f"{len(_FIELDS)} fields"
            )
        return
    fields = expression.split()
    if len(fields) not in {len(_FIELDS), len(_WITH_SECONDS)}:
        raise InvalidCron(
            f"cron {expression!r} has {len(fields)} fields; it needs {len(_FIELDS)}: "
            f"{', '.join(_FIELDS)}; or {len(_WITH_SECONDS)}, with the second before them"
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
    wall = after.astimezone(place).replace(tzinfo=None)
    found = _first(expression, place, after, begin=wall, every_hour=every_hour)
    if found is not None and _changes(place, after, min(found, after + _NEAR_CHANGE)):
        # What the wall clock shows a second time lies before what it shows now.
        begin = wall - _NEAR_CHANGE
        found = _first(expression, place, after, begin=begin, every_hour=every_hour)
    if found is None:
        raise InvalidCron(f"cron {expression!r} never occurs after {after.isoformat()}")
    return found


def _first(
    expression: str, place: ZoneInfo, after: datetime, *, begin: datetime, every_hour: bool
) -> datetime | None:
    """Return the first moment after `after` at which the wall clock, from `begin` on, says so."""
    best: datetime | None = None
    for wall in _wall_times(expression, begin):
        for instant in _instants(wall, place, every_hour=every_hour):
            if instant > after and (best is None or instant < best):
                best = instant
        if best is not None and wall.replace(tzinfo=place).astimezone(UTC) >= best:
            return best
    return None


def _changes(place: ZoneInfo, first: datetime, last: datetime) -> bool:
    """Return whether the clocks of the zone change between two moments less than a day apart."""
    return first.astimezone(place).utcoffset() != last.astimezone(place).utcoffset()


def occurrences(expression: str, timezone: str, after: datetime, count: int) -> list[datetime]:
    """Return the next so many occurrences after a moment, in UTC."""
    found: list[datetime] = []
    while len(found) < count:
        after = next_occurrence(expression, timezone, after)
        found.append(after)
    return found


def clock_changes(timezone: str, first: datetime, last: datetime) -> list[tuple[datetime, int]]:
    """Return when the clocks of a zone change between two moments, and by how many seconds.

    Raises:
        UnknownTimeZone: there is no such zone.
    """
    place = zone(timezone)
    found = []
    day = first.astimezone(UTC)
    while day < last:
        following = min(day + timedelta(days=1), last.astimezone(UTC))
        before, after = (at.astimezone(place).utcoffset() for at in (day, following))
        if before is not None and after is not None and before != after:
            shift = int((after - before).total_seconds())
            found.append((_end_of_gap(day, following, place), shift))
        day = following
    return found


def _is_every_hour(expression: str) -> bool:
    fields = expression.split()
    hours = {len(_FIELDS): 1, len(_WITH_SECONDS): 2}.get(len(fields))
    return fields[0].lower() == "@hourly" or (hours is not None and fields[hours].startswith("*"))


def _wall_times(expression: str, begin: datetime) -> Iterator[datetime]:
    """Yield the wall-clock times that the expression names, naive, after one of them."""
    iterator = _iterator(expression, begin)
    while True:
        try:
            yield _next(iterator)
        except CroniterBadDateError:
            return


def _iterator(expression: str, begin: datetime) -> croniter:
    return croniter(expression, begin, second_at_beginning=True)


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
