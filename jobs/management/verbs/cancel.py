"""Cancel jobs: at once while they wait, in a few seconds while they run."""

from argparse import ArgumentParser
from typing import Any

from jobs.management.exit_codes import ExitCode
from jobs.management.finding import ID_HELP
from jobs.management.output import Output
from jobs.management.sites import Site
from jobs.management.steering import steer


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("job_ids", metavar="job_id", nargs="+", help=ID_HELP)


def run(options: dict[str, Any], output: Output, site: Site) -> ExitCode:
    """Steer each job; the exit code is the first error's."""
    return steer(site, site.cancel, options["job_ids"], output)
