"""List the job types of this site, with their options; --json has their parameters' schema."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, plain, span
from jobs.management.sites import Site
from jobs.management.tables import Column

_COLUMNS = [
    Column("type"),
    Column("priority", spare=4),
    Column("queue", spare=1),
    Column("attempts", spare=3),
    Column("timeout", spare=2),
    Column("params", text=16),
    Column("what it does", text=20),
]


def add_arguments(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def run(options: dict[str, Any], output: Output, site: Site) -> ExitCode:
    """Print the types."""
    types = site.types()
    if output.as_json:
        output.wire(types)
    else:
        rows = [
            [
                each.name,
                each.priority,
                each.queue or "-",
                each.max_attempts,
                span(timedelta(seconds=each.timeout_seconds)),
                plain(", ".join((each.params or {}).get("properties", ()))) or "-",
                plain(each.description),
            ]
            for each in types
        ]
        output.table(_COLUMNS, rows)
    return ExitCode.DONE
