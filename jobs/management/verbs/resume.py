"""Resume paused queues."""

from argparse import ArgumentParser
from typing import Any

from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output
from jobs.management.pausing import add_queues, steer_queues
from jobs.management.sites import Site


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    add_queues(parser)


def run(options: dict[str, Any], output: Output, site: Site) -> ExitCode:
    """Resume each queue."""
    return steer_queues(site.resume_queues, options["queues"], output, done="resumed")
