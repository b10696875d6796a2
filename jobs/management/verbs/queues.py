"""List the queues: what waits in them, for how long, and which are paused."""

from argparse import ArgumentParser
from typing import Any

from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, ago, plain
from jobs.management.sites import Site


def add_arguments(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def run(options: dict[str, Any], output: Output, site: Site) -> ExitCode:
    """Print the queues."""
    found = site.queues()
    if output.as_json:
        output.wire(found)
        return ExitCode.DONE
    output.table(
        ["queue", "ready", "oldest", "running", ""],
        [
            [
                plain(each.name),
                each.ready,
                ago(each.oldest),
                each.running,
                f"[yellow]‖ paused {ago(each.paused_at)} by {plain(each.paused_by)}[/]"
                if each.paused
                else "",
            ]
            for each in found
        ],
    )
    return ExitCode.DONE
