"""Pause queues: no job of theirs is taken any more; those that run go on."""

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
    """Pause each queue."""
    return steer_queues(site.pause_queues, options["queues"], output, done="paused")
