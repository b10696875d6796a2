"""Submit a job, and follow it with --wait.

manage.py jobs submit reports.export -p format=csv --priority high --wait
"""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any, get_args

from jobs.domain import wire
from jobs.domain.dependencies import After, OnFailure
from jobs.domain.priority import Priority
from jobs.management.arguments import duration, moment, parameters
from jobs.management.exit_codes import ExitCode
from jobs.management.following import follow
from jobs.management.output import Output, state
from jobs.management.sites import Site
from jobs.management.wording import told_in_options


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("job_type", help="such as maintenance.cleanup; see `jobs types`")
    parser.add_argument("--params", metavar="JSON", help="parameters: a JSON object, or @file")
    parser.add_argument(
        "-p", "--param", metavar="NAME=VALUE", action="append", default=[], help="one parameter"
    )
    parser.add_argument("--priority", choices=[each.label for each in Priority])
    parser.add_argument("--queue", help="instead of the type's own queue")
    parser.add_argument("--delay", type=duration, help="run after this long, such as 5m")
    parser.add_argument("--at", type=moment, help="run at this moment, ISO 8601 with a zone")
    parser.add_argument("--key", help="idempotency key: the same key finds the same job")
    parser.add_argument(
        "--on-duplicate", choices=["ignore", "replace", "error"], default="ignore",
        help="what to do if the key is taken (default: ignore)",
    )  # fmt: skip
    parser.add_argument(
        "--after", metavar="JOB", action="append", default=[],
        help="wait until this job has completed; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--if-it-fails", choices=get_args(OnFailure), default="fail",
        help="what becomes of this job if one of those fails (default: it fails too)",
    )  # fmt: skip
    parser.add_argument("--max-attempts", type=int)
    parser.add_argument("--timeout", type=duration, help="of one attempt, such as 30s")
    parser.add_argument(
        "--wait", nargs="?", type=duration, const=timedelta(hours=1), metavar="FOR",
        help="follow the job until it ends, this long at most (default 1h)",
    )  # fmt: skip


def run(options: dict[str, Any], output: Output, site: Site) -> ExitCode:
    """Submit, and follow if asked to."""
    with told_in_options():
        submission = _submit(options, site)
    if options["wait"] is not None:
        return follow(site, submission.job_id, options["wait"], output)
    if output.as_json:
        output.wire(submission)
    else:
        known = f", {submission.message}" if submission.duplicate else ""
        output.line(f"{submission.job_id}  {state(submission.state)}{known}")
    return ExitCode.DONE


def _submit(options: dict[str, Any], site: Site) -> wire.Accepted:
    """Submit with the options that were given."""
    return site.submit(
        options["job_type"],
        parameters(options["params"], options["param"]),
        {
            "priority": options["priority"],
            "queue": options["queue"],
            "delay": options["delay"],
            "run_at": options["at"],
            "idempotency_key": options["key"],
            "on_duplicate": options["on_duplicate"],
            "max_attempts": options["max_attempts"],
            "timeout": options["timeout"],
            "depends_on": [
                After(site.find(job), options["if_it_fails"]) for job in options["after"]
            ],
        },
    )
