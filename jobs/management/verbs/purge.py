"""Remove finished jobs that are past their retention; --dry-run only counts them."""

from argparse import ArgumentParser
from typing import Any

from jobs.management.exit_codes import ExitCode
from jobs.management.matching import counting
from jobs.management.output import Output
from jobs.public import purge


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("--dry-run", action="store_true", help="only count")
    parser.add_argument("--batch-size", type=int, default=500, help="jobs a transaction")


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Purge."""
    if options["batch_size"] < 1:
        raise ValueError(f"--batch-size must be at least 1, not {options['batch_size']}")
    with counting(output, "removed") as show:
        removed = purge(dry_run=options["dry_run"], batch_size=options["batch_size"], on_batch=show)
    if output.as_json:
        output.json({"dry_run": options["dry_run"], "removed": removed})
    else:
        done = "would be removed" if options["dry_run"] else "removed"
        output.table(["what", done], sorted(removed.items()))
    return ExitCode.DONE
