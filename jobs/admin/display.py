"""How states, moments, durations and JSON look on a page."""

import json
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any, Final

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.domain.sensitive import shown
from jobs.domain.states import State

#: A shape of its own for each state: it can be told without seeing the colour.
GLYPHS: Final[dict[str, str]] = {
    State.BLOCKED: "‖",
    State.SCHEDULED: "◷",
    State.QUEUED: "○",
    State.RUNNING: "▶\N{VARIATION SELECTOR-15}",
    State.RETRYING: "↻",
    State.COMPLETED: "✓",
    State.FAILED: "✗",
    State.CANCELLED: "⊘",
}
#: What an attempt, a worker or a schedule can be, as the state whose look it shares.
LIKE: Final[dict[str, State]] = {
    "error": State.FAILED,
    "timeout": State.FAILED,
    "lost": State.FAILED,
    "snoozed": State.SCHEDULED,
    "released": State.QUEUED,
    "alive": State.COMPLETED,
    "left": State.CANCELLED,
    "enabled": State.COMPLETED,
    "active": State.COMPLETED,
    "expired": State.CANCELLED,
    "revoked": State.FAILED,
    "goes on": State.COMPLETED,
    "open": State.SCHEDULED,
    "finished": State.COMPLETED,
    "paused": State.BLOCKED,
    "draining": State.BLOCKED,
    "disabled": State.CANCELLED,
}
_STEPS: Final = ((86_400 * 365, "y"), (86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def badge(name: str, text: str = "") -> SafeString:
    """Return a badge in the look of a state, an attempt's outcome or a worker's health."""
    look = LIKE.get(name, name)
    return format_html(
        '<span class="job-badge job-badge--{}"><span aria-hidden="true">{}</span> {}</span>',
        look,
        GLYPHS.get(look, "•"),
        text or name,
    )


def relative(at: datetime, *, now: datetime | None = None) -> str:
    """Return how long ago a moment was, or how far ahead it is, in its largest unit."""
    seconds = round(((now or timezone.now()) - at).total_seconds())
    for size, unit in _STEPS:
        if abs(seconds) >= size:
            told = f"{abs(seconds) // size} {unit}"
            return f"{told} ago" if seconds > 0 else f"in {told}"
    return "now"


def exact(at: datetime, zone: tzinfo | None = None) -> str:
    """Return a moment to the second, in the zone given or the site's, with the zone's name."""
    local = timezone.localtime(at, zone)
    return f"{local:%a %d %b %Y, %H:%M:%S} {local.tzname()}"


def to_the_minute(at: datetime, zone: tzinfo) -> str:
    """Return a moment of a cron expression, which knows no seconds, in a zone."""
    local = timezone.localtime(at, zone)
    return f"{local:%a %d %b %Y, %H:%M} {local.tzname()}"


def moment(at: datetime | None, zone: tzinfo | None = None) -> SafeString | str:
    """Return a moment in relation to now; the exact one shows on hover."""
    if at is None:
        return "—"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact(at, zone), relative(at)
    )


def full_moment(at: datetime | None, zone: tzinfo | None = None) -> SafeString | str:
    """Return a moment in relation to now with the exact one beside it."""
    if at is None:
        return "—"
    return format_html('{} <span class="job-exact">{}</span>', moment(at, zone), exact(at, zone))


def due(at: datetime | None) -> SafeString | str:
    """Return when something is due, or was."""
    if at is None:
        return "—"
    verb = "was due" if relative(at).endswith("ago") else "due"
    return format_html("{} {}", verb, moment(at))


def period(start: datetime, end: datetime) -> SafeString:
    """Return the days of a period, such as `18-25 Nov 2026`; the exact moments show on hover.

    The end is the first moment after the period: one at midnight does not count its day.
    """
    first = timezone.localtime(start)
    last = timezone.localtime(end - timedelta.resolution)
    return format_html(
        '<span class="job-period" title="{} to {}">{}</span>',
        exact(start),
        exact(end),
        _days(first, last),
    )


def duration(taken: timedelta | float | None) -> str:
    """Return a length of time in the two largest units that say something."""
    if taken is None:
        return "—"
    seconds = taken.total_seconds() if isinstance(taken, timedelta) else taken
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{round(seconds, 1):g} s"
    for (size, unit), (part, part_unit) in pairwise(_STEPS):
        if seconds >= size:
            whole, rest = divmod(round(seconds), size)
            more = f" {rest // part} {part_unit}" if rest >= part else ""
            return f"{whole} {unit}{more}"
    return f"{round(seconds)} s"


def pretty_json(value: Any) -> str:
    """Return JSON data as people read it; not safe, so that templates escape it."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def first_line(text: str, length: int = 90) -> str:
    """Return the first line that says something; one that is too long ends after a whole word."""
    line = next((each.strip() for each in text.splitlines() if each.strip()), "")
    if len(line) <= length:
        return line
    words, _, _ = line[:length].rpartition(" ")
    return f"{words.rstrip() or line[: length - 1]}…"


def in_words(name: str) -> str:
    """Return a name such as `retries_exhausted` as words."""
    return name.replace("_", " ")


def _days(first: datetime, last: datetime) -> str:
    end = f"{last.day} {last:%b %Y}"
    if first.date() == last.date():
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}\N{EN DASH}{end}"
    year = f" {first.year}" if first.year != last.year else ""
    return f"{first.day} {first:%b}{year} \N{EN DASH} {end}"


def shown_json(stored: Any) -> str:
    """Return stored parameters as JSON for people, without what is sensitive in them."""
    return pretty_json(shown(stored))
