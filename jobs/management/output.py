"""What the verbs print: tables and lines for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

#: Colour and glyph of each state; the glyph tells them apart without colour.
STYLES = {
    "blocked": ("yellow", "◌"),
    "scheduled": ("cyan", "◷"),
    "queued": ("blue", "○"),
    "running": ("bold blue", "▶"),
    "retrying": ("yellow", "↻"),
    "completed": ("green", "✔"),
    "failed": ("bold red", "✘"),
    "cancelled": ("magenta", "⊘"),
}
_NEVER_CUT = ("job", "type", "state", "setting", "middleware", "time (UTC)", "what")
_PIPE_WIDTH = 400


class Output:
    """Where a verb prints."""

    def __init__(self, *, as_json: bool, stream: TextIO | None = None) -> None:
        self.as_json = as_json
        self._stream = stream or sys.stdout
        # Into a pipe or a file a row is a line, however long.
        width = None if self._stream.isatty() else _PIPE_WIDTH
        # Without emoji: an error that holds ":x:" says just that.
        self.console = Console(file=self._stream, highlight=False, emoji=False, width=width)
        #: Progress and remarks go here, so that standard output stays clean for programs.
        self.remarks = Console(stderr=True, highlight=False, emoji=False)

    @property
    def shows_progress(self) -> bool:
        """Whether someone watches: bars are for terminals."""
        return self.remarks.is_terminal and not self.as_json

    def json(self, value: Any) -> None:
        """Print one JSON value."""
        self._stream.write(json.dumps(value, indent=2, default=str, ensure_ascii=False) + "\n")

    def line(self, text: str = "") -> None:
        """Print one line for people, with rich's markup."""
        self.console.print(text, soft_wrap=True)

    def remark(self, text: str) -> None:
        """Print one line for people to standard error, unless only JSON is wanted."""
        if not self.as_json:
            self.remarks.print(text, soft_wrap=True)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table; cells are plain text, or rich's markup from this module."""
        table = Table(box=None, pad_edge=False, header_style="bold dim")
        for heading in headings:
            # What names a row is never cut.
            table.add_column(heading, no_wrap=heading in _NEVER_CUT)
        for row in rows:
            table.add_row(*[str(cell) for cell in row])
        self.console.print(table)


def state(name: str) -> str:
    """Return a state with its glyph and colour."""
    style, glyph = STYLES.get(name, ("", "·"))
    return f"[{style}]{glyph} {name}[/]" if style else name


def plain(text: object, *, width: int = 0) -> str:
    """Return someone else's text, safe to print: no markup, no control characters, one line."""
    clean = one_line(str(text))
    if width and len(clean) > width:
        clean = clean[: width - 1] + "…"
    return escape(clean)


def one_line(text: str) -> str:
    """Return the text without control characters, on one line."""
    return "".join(char if char.isprintable() else " " for char in text)


def ago(at: datetime | None) -> str:
    """Return how long ago a moment was, or how far ahead it is."""
    if at is None:
        return "-"
    passed = datetime.now(UTC) - at
    return f"in {span(-passed)}" if passed < timedelta(0) else f"{span(passed)} ago"


def span(length: timedelta | None) -> str:
    """Return a length of time in the unit that suits it."""
    if length is None:
        return "-"
    seconds = length.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for limit, unit, size in ((60, "s", 1), (3600, "min", 60), (86_400, "h", 3600)):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"
