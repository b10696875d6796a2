"""Queue failed or cancelled jobs again; their history stays."""

from argparse import ArgumentParser
from typing import Any

from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output
from jobs.management.steering import steer
from jobs.public import retry


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("job_ids", metavar="job_id", nargs="+")


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Steer each job; the exit code is the first error's."""
    return steer(retry, options["job_ids"], output)
