"""List jobs, newest first.

States may be given by another name: pending, waiting, active, processing, delayed, success, dead.
"""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from jobs.domain import wire
from jobs.domain.errors import InvalidOption
from jobs.domain.priority import Priority
from jobs.domain.states import TIMED, State
from jobs.management.arguments import duration
from jobs.management.exit_codes import ExitCode
from jobs.management.finding import short
from jobs.management.output import Output, ago, plain, span, state
from jobs.management.sites import Site
from jobs.management.tables import Column
from jobs.management.wording import run_time

_COLUMNS = [
    Column("job"),
    Column("type"),
    Column("state"),
    Column("priority", spare=1),
    Column("attempt", spare=2),
    Column("created", spare=3),
    Column("ran, or due"),
    Column("error, or progress", text=14, folds=False, spare=4),
]
#: In a terminal this wide there is room for whole ids.
_WIDE = 150


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("--state", help="a state, or another name of some")
    parser.add_argument("--type", dest="job_type", help="a job type")
    parser.add_argument("--priority", choices=[each.label for each in Priority])
    parser.add_argument("--queue")
    parser.add_argument("--schedule", help="the name of a schedule")
    parser.add_argument("--since", type=duration, help="created in the last, such as 1h")
    parser.add_argument("--limit", type=int, default=20, help="at most so many (default 20)")


def run(options: dict[str, Any], output: Output, site: Site) -> ExitCode:
    """Print the list."""
    if not 1 <= options["limit"] <= 1000:
        raise InvalidOption(f"--limit must be from 1 to 1000, not {options['limit']}")
    since = options["since"]
    jobs = site.list(
        options["limit"],
        {
            "state": options["state"],
            "job_type": options["job_type"],
            "priority": options["priority"],
            "queue": options["queue"],
            "schedule": options["schedule"],
            "created_after": datetime.now(UTC) - since if since else None,
        },
    )
    if output.as_json:
        output.wire(jobs)
    elif not jobs:
        output.line("no jobs match")
    else:
        whole = output.console.width >= _WIDE or not site.is_here
        output.table(_COLUMNS, [_row(job, whole=whole) for job in jobs])
    return ExitCode.DONE


def _row(job: wire.Job, *, whole: bool) -> list[object]:
    return [
        job.id if whole else short(job.id),
        plain(job.type),
        state(job.state),
        job.priority,
        f"{job.attempt}/{job.max_attempts}",
        ago(job.created_at),
        _time(job),
        plain(job.error or job.progress_message, width=60),
    ]


def _time(job: wire.Job) -> str:
    if job.state in TIMED:
        return f"due {ago(job.run_at)}"
    if job.state == State.RUNNING and job.started_at is not None:
        return f"{span(datetime.now(UTC) - job.started_at)} so far"
    return span(run_time(job))
