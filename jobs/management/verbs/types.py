"""List the job types of this site, with their options; --json has their parameters' schema."""

from argparse import ArgumentParser
from typing import Any

from jobs.conf import jobs_settings
from jobs.domain.job_types import JobType
from jobs.domain.registry import registry
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, plain, span
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


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Print the types."""
    if output.as_json:
        output.json([_described(each) for each in registry])
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


def _described(job_type: JobType) -> dict[str, Any]:
    settings = jobs_settings()
    backoff = job_type.backoff or settings.backoff
    return {
        "name": job_type.name,
        "description": job_type.description,
        "priority": job_type.priority.label,
        "queue": job_type.queue,
        "max_attempts": job_type.max_attempts or settings.max_attempts,
        "concurrency": job_type.concurrency,
        "timeout_seconds": (job_type.timeout or settings.timeout).total_seconds(),
        "backoff": {
            "kind": backoff.kind,
            "base_seconds": backoff.base.total_seconds(),
            "cap_seconds": backoff.cap.total_seconds(),
            "jitter": backoff.jitter,
        },
        "params": job_type.params_model.model_json_schema(),
    }
