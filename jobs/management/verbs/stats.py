"""Count the jobs: by state, by type and by queue."""

from argparse import ArgumentParser
from typing import Any

from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, plain, state
from jobs.public import stats


def add_arguments(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Print the counts."""
    counted = stats()
    if output.as_json:
        output.json(counted)
        return ExitCode.DONE
    output.table(
        ["state", "jobs"],
        [[state(name), count] for name, count in counted["by_state"].items()]
        + [["total", counted["total"]]],
    )
    averages = counted["average_run_seconds"]
    output.line()
    output.table(
        ["type", "completed", "failed", "not final", "average run"],
        [
            [
                plain(name),
                counts.get("completed", 0),
                counts.get("failed", 0),
                sum(counts.values())
                - sum(counts.get(final, 0) for final in ("completed", "failed", "cancelled")),
                f"{averages[name]:.3f} s" if name in averages else "-",
            ]
            for name, counts in counted["by_type"].items()
        ],
    )
    return ExitCode.DONE
