"""The figures of a run as a table, for people or for the docs."""

from benchmarks.figures import Figures

_COLUMNS = {
    "submit_per_second": "submit /s",
    "submit_many_per_second": "in bulk /s",
    "drain_per_second": "drain /s",
    "idle_p50_ms": "idle p50, ms",
    "loaded_p50_ms": "loaded p50, ms",
    "loaded_p99_ms": "loaded p99, ms",
    "burst_p50_ms": "bursts p50, ms",
    "burst_p99_ms": "bursts p99, ms",
    "kept": "kept of a completed job",
}


def table(results: list[Figures]) -> list[list[str]]:
    """Return the head, and a row for each peer and variant."""
    rows = [["peer", *_COLUMNS.values()]]
    for told in results:
        rows.append([_name(told), *(_cell(told.get(column)) for column in _COLUMNS)])
    return rows


def plain(results: list[Figures]) -> str:
    """Return it in columns."""
    rows = table(results)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def markdown(results: list[Figures]) -> str:
    """Return it as a table of Markdown."""
    head, *rows = table(results)
    rule = ["---", *("---:" for _ in head[2:]), "---"]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def _name(told: Figures) -> str:
    variant = "" if told["variant"] == "default" else f", {told['variant']}"
    return f"{told['title']} {told['version']}{variant}"


def _cell(value: object) -> str:
    if value is None:
        return "none"
    return f"{value:,}" if isinstance(value, int | float) else str(value)
