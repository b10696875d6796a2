"""Follow a job until it ends; exit code 0 if it completed."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from jobs.management.arguments import duration
from jobs.management.exit_codes import ExitCode
from jobs.management.finding import ID_HELP
from jobs.management.following import follow
from jobs.management.output import Output
from jobs.management.sites import Site


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("job_id", help=ID_HELP)
    parser.add_argument(
        "--wait", type=duration, default=timedelta(hours=1), metavar="FOR",
        help="this long at most (default 1h)",
    )  # fmt: skip


def run(options: dict[str, Any], output: Output, site: Site) -> ExitCode:
    """Follow the job."""
    return follow(site, site.find(options["job_id"]), options["wait"], output)
