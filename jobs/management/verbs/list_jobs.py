"""List jobs, newest first.

States may be given by another name: pending, waiting, active, processing, delayed, success, dead.
"""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from jobs.domain.priority import Priority
from jobs.management.arguments import duration
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, ago, plain, span, state
from jobs.models import Job
from jobs.public import describe
from jobs.public import list as listed


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("--state", help="a state, or another name of some")
    parser.add_argument("--type", dest="job_type", help="a job type")
    parser.add_argument("--priority", choices=[each.label for each in Priority])
    parser.add_argument("--queue")
    parser.add_argument("--schedule", help="the name of a schedule")
    parser.add_argument("--since", type=duration, help="created in the last, such as 1h")
    parser.add_argument("--limit", type=int, default=20, help="at most so many (default 20)")


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Print the list."""
    since = options["since"]
    jobs = listed(
        limit=options["limit"],
        state=options["state"],
        job_type=options["job_type"],
        priority=options["priority"],
        queue=options["queue"],
        schedule=options["schedule"],
        created_after=datetime.now(UTC) - since if since else None,
    )
    if output.as_json:
        output.json([describe(job) for job in jobs])
    elif not jobs:
        output.line("no jobs match")
    else:
        output.table(
            ["job", "type", "state", "priority", "attempt", "created", "ran", ""],
            [_row(job) for job in jobs],
        )
    return ExitCode.DONE


def _row(job: Job) -> list[object]:
    return [
        job.pk,
        plain(job.job_type),
        state(job.state),
        job.priority_label,
        f"{job.attempt}/{job.max_attempts}",
        ago(job.created_at),
        span(job.run_time),
        plain(job.error or job.progress_message, width=60),
    ]
