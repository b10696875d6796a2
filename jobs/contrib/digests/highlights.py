"""What a reader should see first: breaking changes, releases, biggest changes, first-timers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from jobs.contrib.digests.activity import Change, Release
from jobs.contrib.digests.text import one_line

_MOST_OF_A_KIND = 5
_BIGGEST = 3
#: A change below this many lines is not worth being called big.
_BIG_LINES = 50
_MOST_NAMES = 10

Kind = Literal["breaking", "release", "big", "first_timers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlight:
    """One line of plain text, and where to read more."""

    kind: Kind
    text: str
    url: str = ""


def highlights_of(
    breaking: Sequence[Change],
    releases: Sequence[Release],
    changes: Sequence[Change],
    newcomers: Sequence[str],
) -> tuple[Highlight, ...]:
    """Return the highlights, the most important first; how many more there are is said."""
    biggest = sorted(changes, key=lambda change: -change.size)[:_BIGGEST]
    return (
        *_first(
            [
                Highlight(
                    kind="breaking",
                    text=f"Breaking: {one_line(change.title)} ({change.ref})",
                    url=change.url,
                )
                for change in breaking
            ],
            "breaking changes",
        ),
        *_first(
            [
                Highlight(
                    kind="release",
                    text=f"{'Pre-release' if each.prerelease else 'Released'}: "
                    f"{one_line(each.name)}",
                    url=each.url,
                )
                for each in releases
            ],
            "releases",
        ),
        *(
            Highlight(
                kind="big",
                text=f"Big change: {one_line(change.title)} ({change.ref}, "
                f"+{change.additions or 0}/-{change.deletions or 0} lines)",
                url=change.url,
            )
            for change in biggest
            if change.size >= _BIG_LINES
        ),
        *_welcome(newcomers),
    )


def _first(highlights: list[Highlight], what: str) -> list[Highlight]:
    more = len(highlights) - _MOST_OF_A_KIND
    if more <= 0:
        return highlights
    rest = Highlight(kind=highlights[0].kind, text=f"… and {more} more {what}")
    return [*highlights[:_MOST_OF_A_KIND], rest]


def _welcome(names: Sequence[str]) -> list[Highlight]:
    if not names:
        return []
    shown = ", ".join(names[:_MOST_NAMES])
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return [Highlight(kind="first_timers", text=f"First contribution: {shown}{more}")]
