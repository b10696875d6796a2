"""Count the jobs: by state, by type and by queue."""

from argparse import ArgumentParser
from typing import Any

from jobs.domain import wire
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, plain, state
from jobs.management.sites import Site


def add_arguments(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def run(options: dict[str, Any], output: Output, site: Site) -> ExitCode:
    """Print the counts."""
    counted = site.stats()
    if output.as_json:
        output.wire(counted)
        return ExitCode.DONE
    output.table(
        ["state", "jobs"],
        [[state(name), count] for name, count in counted.by_state.items()]
        + [["total", counted.total]],
    )
    _tell_types(counted, output)
    _tell_queues(counted, output)
    return ExitCode.DONE


def _tell_types(counted: wire.Stats, output: Output) -> None:
    averages = counted.average_run_seconds
    output.line()
    output.table(
        ["type", "completed", "failed", "in progress", "average run"],
        [
            [
                plain(name),
                counts.get("completed", 0),
                counts.get("failed", 0),
                sum(counts.values())
                - sum(counts.get(final, 0) for final in ("completed", "failed", "cancelled")),
                f"{averages[name]:.3f} s" if name in averages else "-",
            ]
            for name, counts in counted.by_type.items()
        ],
    )


def _tell_queues(counted: wire.Stats, output: Output) -> None:
    names = ["waiting", "active", "delayed", "completed", "failed"]
    output.line()
    output.table(
        ["queue", *names],
        [
            [plain(queue), *(counts[name] for name in names)]
            for queue, counts in counted.by_queue.items()
        ],
    )
