"""A picture of figures: bars in an SVG that reads in light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from benchmarks.figures import Figures

_WIDTH, _LABEL, _VALUE, _ROW, _HEAD = 760, 230, 110, 24, 44
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.head { font-weight: 600; font-size: 15px }
.paper { fill: #ffffff }
.other { fill: #8c959f }
.ours { fill: #0969da }
.goal { stroke: #cf222e; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .paper { fill: #0d1117 }
  .other { fill: #6e7681 }
  .ours { fill: #4493f8 }
  .goal { stroke: #ff7b72 }
}
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure.

    Attributes:
        goal: what it should not exceed; none has no mark.
    """

    label: str
    value: float
    ours: bool = True
    goal: float | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """Figures of one unit, on one scale that begins at 0."""

    title: str
    bars: Sequence[Bar]


def draw(panels: Sequence[Panel], path: Path) -> None:
    """Write the picture of those panels that have bars; of none, write nothing."""
    parts, top = [], 0
    for panel in panels:
        if panel.bars:
            parts += _panel(panel, top)
            top += _HEAD + _ROW * len(panel.bars)
    if not parts:
        return
    height = top + 16
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}">'
    paper = f'<rect class="paper" width="{_WIDTH}" height="{height}"/>'
    path.write_text("\n".join([opening, f"<style>{_STYLE}</style>", paper, *parts, "</svg>\n"]))


def of_the_site(told: dict[str, Figures]) -> list[Panel]:
    """Return what `manage.py jobs bench` found: pace beside plain Celery, and latencies."""
    pace = []
    if bulk := told.get("A"):
        pace = [
            Bar("Jobsite", bulk["per_second"]),
            Bar("plain Celery", bulk["celery_per_second"], ours=False),
        ]
    goals = {
        "C": ("idle", 15.0),
        "E": ("due together, late", told.get("E", {}).get("tick_ms", 0) + 20.0),
        "F": ("critical into a backlog", 150.0),
        "G": ("submit in a request", 5.0),
    }
    waits = [
        Bar(words, told[letter]["p99_ms"], goal=goal)
        for letter, (words, goal) in goals.items()
        if letter in told
    ]
    return [
        Panel("Drained, jobs a second", pace),
        Panel("Latency p99, ms; the line is the goal", waits),
    ]


def of_the_peers(results: Sequence[Figures]) -> list[Panel]:
    """Return what `python -m benchmarks.peers` found, the quickest first."""
    return [
        Panel("Drained, jobs a second", _by_size(results, "drain_per_second")),
        Panel("Submitted in bulk, jobs a second", _by_size(results, "submit_many_per_second")),
    ]


def _by_size(results: Sequence[Figures], figure: str) -> list[Bar]:
    bars = [
        Bar(
            told["title"] + ("" if told["variant"] == "default" else f", {told['variant']}"),
            told[figure],
            ours=told["name"] == "jobsite",
        )
        for told in results
        if figure in told
    ]
    return sorted(bars, key=lambda bar: -bar.value)


def _panel(panel: Panel, top: int) -> list[str]:
    room = _WIDTH - _LABEL - _VALUE
    largest = max(max(bar.value, bar.goal or 0) for bar in panel.bars) or 1
    parts = [f'<text class="head" x="16" y="{top + 30}">{escape(panel.title)}</text>']
    for number, bar in enumerate(panel.bars):
        y = top + _HEAD + number * _ROW
        length = max(1.0, room * bar.value / largest)
        shade = "ours" if bar.ours else "other"
        value, after = f"{bar.value:,.10g}", _LABEL + length
        parts += [
            f'<text x="{_LABEL - 10}" y="{y + 14}" text-anchor="end">{escape(bar.label)}</text>',
            f'<rect class="{shade}" x="{_LABEL}" y="{y + 2}" width="{length:.1f}" height="14"/>',
        ]
        if bar.goal is not None:
            x = _LABEL + room * bar.goal / largest
            parts.append(f'<line class="goal" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 18}"/>')
            value, after = f"{value} of {bar.goal:g}", max(after, x)
        parts.append(f'<text x="{after + 8:.1f}" y="{y + 14}">{value}</text>')
    return parts
