"""What the verbs print: tables and lines for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape

from jobs.management.exit_codes import ExitCode
from jobs.management.tables import Column, fitted

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

    def wire(self, value: BaseModel | Sequence[BaseModel]) -> None:
        """Print what a site told as JSON, as its API tells it."""
        several = value if isinstance(value, Sequence) else [value]
        told = [each.model_dump(mode="json", by_alias=True) for each in several]
        self.json(told if isinstance(value, Sequence) else told[0])

    def error(self, message: str, code: ExitCode) -> None:
        """Print what went wrong as one JSON object to standard error, on a line of its own."""
        told = {"error": message, "code": code.name.lower()}
        self.remarks.out(json.dumps(told, ensure_ascii=False), highlight=False)

    def line(self, text: str = "") -> None:
        """Print one line for people, with rich's markup."""
        self.console.print(text, soft_wrap=True)

    def remark(self, text: str) -> None:
        """Print one line for people to standard error, unless only JSON is wanted."""
        if not self.as_json:
            self.remarks.print(text, soft_wrap=True)

    def table(self, columns: Sequence[Column | str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table, and a remark if there is no room for all of its columns.

        Cells are plain text, or rich's markup from this module.
        """
        named = [Column(each) if isinstance(each, str) else each for each in columns]
        fits = fitted(named, list(rows), self.console.width)
        self.console.print(fits.table)
        if fits.left_out:
            self.remark(f"[dim]no room for: {', '.join(fits.left_out)}; --json has all of it[/]")


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


def as_json(value: object) -> str:
    """Return a value as JSON, on one line."""
    return json.dumps(value, default=str, ensure_ascii=False)


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
    for most, unit, size in ((60, "s", 1), (60, "min", 60), (24, "h", 3600)):
        # Rounded before it is looked at: 59.9 min are an hour.
        if round(seconds / size) < most:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"
