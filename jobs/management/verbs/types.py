"""List the job types of this site, with their options; --json has their parameters' schema."""

from argparse import ArgumentParser
from typing import Any

from jobs.conf import jobs_settings
from jobs.domain.registry import registry
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, plain, span
from jobs.management.tables import Column
from jobs.selectors.describe import describe_type

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


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Print the types."""
    if output.as_json:
        output.json([describe_type(each) for each in registry])
    else:
        rows = [
            [
                each.name,
                each.priority.label,
                each.queue or "-",
                each.max_attempts or jobs_settings().max_attempts,
                span(each.timeout or jobs_settings().timeout),
                plain(", ".join(each.params_model.model_fields)) or "-",
                plain(each.description),
            ]
            for each in registry
        ]
        output.table(_COLUMNS, rows)
    return ExitCode.DONE
