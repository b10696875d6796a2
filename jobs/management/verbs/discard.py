"""Remove dead letters for good, before their retention is over."""

from argparse import ArgumentParser
from typing import Any

from jobs.domain.errors import InvalidOption
from jobs.management.exit_codes import ExitCode
from jobs.management.matching import add_filters, counting, filters
from jobs.management.output import Output
from jobs.management.sites import Site


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    add_filters(parser)


def run(options: dict[str, Any], output: Output, site: Site) -> ExitCode:
    """Remove them."""
    picked = filters(options)
    if not picked and not options["every"]:
        raise InvalidOption("say which, with --type, --reason, --error or --all")
    with counting(output, "removed") as show:
        count = site.discard_all(picked, show)
    if output.as_json:
        output.json({"removed": count})
    else:
        output.line(f"{count} dead letter{'' if count == 1 else 's'} removed")
    return ExitCode.DONE
