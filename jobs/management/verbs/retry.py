"""Queue failed or cancelled jobs again, by id or all that match; their history stays."""

from argparse import ArgumentParser
from typing import Any

from jobs.domain.errors import InvalidOption
from jobs.management.exit_codes import ExitCode
from jobs.management.finding import ID_HELP
from jobs.management.matching import add_filters, counting, filters
from jobs.management.output import Output
from jobs.management.sites import Site
from jobs.management.steering import steer


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("job_ids", metavar="job_id", nargs="*", help=ID_HELP)
    add_filters(parser)


def run(options: dict[str, Any], output: Output, site: Site) -> ExitCode:
    """Retry each job; the exit code is the first error's."""
    picked = filters(options)
    if bool(options["job_ids"]) == (bool(picked) or options["every"]):
        raise InvalidOption("name the jobs, or pick them with --type, --reason, --error or --all")
    if options["job_ids"]:
        return steer(site, site.retry, options["job_ids"], output)
    with counting(output, "queued again") as show:
        count = site.retry_all(picked, show)
    if output.as_json:
        output.json({"retried": count})
    else:
        output.line(f"{count} job{'' if count == 1 else 's'} queued again")
    return ExitCode.DONE
