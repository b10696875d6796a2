"""Run a schedule's job now; its next occurrence stays as it is."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from jobs.management.arguments import duration
from jobs.management.exit_codes import ExitCode
from jobs.management.following import follow
from jobs.management.output import Output, state
from jobs.management.sites import Site


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("schedule", help="the schedule's name")
    parser.add_argument(
        "--wait", nargs="?", type=duration, const=timedelta(hours=1), metavar="FOR",
        help="follow the job until it ends, this long at most (default 1h)",
    )  # fmt: skip


def run(options: dict[str, Any], output: Output, site: Site) -> ExitCode:
    """Trigger, and follow if asked to."""
    submission = site.trigger(options["schedule"])
    if options["wait"] is not None:
        return follow(site, submission.job_id, options["wait"], output)
    if output.as_json:
        output.wire(submission)
    else:
        output.line(f"{submission.job_id}  {state(submission.state)}")
    return ExitCode.DONE
