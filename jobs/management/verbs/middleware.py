"""Show the middleware chain around each handler, outermost first."""

from argparse import ArgumentParser
from typing import Any

from django.utils.module_loading import import_string

from jobs.conf import jobs_settings
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, plain
from jobs.management.tables import Column
from jobs.runtime.chain import chain


def add_arguments(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Print the chain."""
    chain()  # says what is wrong, if something is
    paths = jobs_settings().middleware
    if output.as_json:
        output.json(paths)
    else:
        rows = [
            [position, path, plain((import_string(path).__doc__ or "").partition("\n")[0])]
            for position, path in enumerate(paths, 1)
        ]
        output.table(
            [Column(""), Column("middleware"), Column("what it does", text=20, spare=1)],
            [*rows, [len(rows) + 1, "the handler", ""]],
        )
    return ExitCode.DONE
