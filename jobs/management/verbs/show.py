"""Show a job: its timeline, attempts, parameters, result and log."""

import json
from argparse import ArgumentParser
from typing import Any

from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, ago, plain, span, state
from jobs.models import Job
from jobs.public import get
from jobs.selectors import history
from jobs.selectors.describe import describe_whole


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("job_id")


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Print the job."""
    job = get(options["job_id"])
    if output.as_json:
        output.json(describe_whole(job))
    else:
        _head(job, output)
        _timeline(job, output)
        _attempts(job, output)
        _log(job, output)
    return ExitCode.DONE


def _head(job: Job, output: Output) -> None:
    output.line(f"[bold]{plain(job.job_type)}[/]  {state(job.state)}  {job.pk}")
    facts = {
        "priority": f"{job.priority_label} (by the {job.priority_source})",
        "queue": job.queue,
        "attempts": f"{job.attempt} of {job.max_attempts}",
        "created": ago(job.created_at),
        "due": ago(job.run_at) if job.next_retry_at or job.state == "scheduled" else None,
        "ran": span(job.run_time) if job.run_time else None,
        "progress": f"{job.progress} % {plain(job.progress_message)}",
        "reason": job.failure_reason,
        "error": plain(job.error, width=500),
        "params": plain(json.dumps(job.params, ensure_ascii=False), width=2000),
        "result": plain(json.dumps(job.result, ensure_ascii=False), width=2000)
        if job.result is not None
        else None,
    }
    for name, value in facts.items():
        if value:
            output.line(f"  [dim]{name:<9}[/] {value}")


def _timeline(job: Job, output: Output) -> None:
    output.line("\n[bold]Timeline[/]")
    rows = []
    for moment in history.timeline(job):
        change = f"{state(moment.before)} → {state(moment.after)}" if moment.before else ""
        what = change or (state(moment.after) if moment.after else "")
        by = plain(moment.actor or moment.worker)
        rows.append([f"{moment.at:%Y-%m-%d %H:%M:%S.%f}"[:-3], what, by, plain(moment.note)])
    output.table(["time (UTC)", "state", "by", ""], rows)


def _attempts(job: Job, output: Output) -> None:
    ended = [attempt for attempt in history.attempts(job) if attempt.error]
    for attempt in ended:
        output.line(
            f"\n[bold]Attempt {attempt.number}[/] {attempt.outcome} after "
            f"{attempt.seconds or 0:.3f} s: {plain(attempt.error, width=500)}"
        )
        if attempt.traceback and attempt is ended[-1]:
            for line in attempt.traceback.rstrip().splitlines():
                output.line(f"  [dim]{plain(line)}[/]")


def _log(job: Job, output: Output) -> None:
    lines = list(job.log_lines.order_by("id"))
    if lines:
        output.line("\n[bold]Log[/]")
        output.table(
            ["time (UTC)", "level", "message"],
            [
                [f"{line.at:%H:%M:%S.%f}"[:-3], line.level_name,
                 plain(f"{line.message} {line.fields or ''}", width=300)]
                for line in lines
            ],
        )  # fmt: skip
