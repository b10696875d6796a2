"""Show a job: its timeline, attempts, parameters, result and log."""

from argparse import ArgumentParser
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from jobs.domain import wire
from jobs.management.exit_codes import ExitCode
from jobs.management.finding import ID_HELP
from jobs.management.output import Output, ago, as_json, plain, span, state
from jobs.management.sites import Site
from jobs.management.tables import Column
from jobs.management.wording import run_time


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("job_id", help=ID_HELP)


def run(options: dict[str, Any], output: Output, site: Site) -> ExitCode:
    """Print the job."""
    job = site.show(site.find(options["job_id"]))
    if output.as_json:
        output.wire(job)
    else:
        _head(job, output)
        _timeline(job, output)
        _dependencies("Waits for", job.depends_on, output)
        _dependencies("Followed by", job.followers, output)
        _attempts(job, output)
        _log(job, output)
    return ExitCode.DONE


def _head(job: wire.WholeJob, output: Output) -> None:
    output.line(f"[bold]{plain(job.type)}[/]  {state(job.state)}  {job.id}")
    facts = {
        "priority": f"{job.priority} (by the {job.priority_source})",
        "queue": job.queue,
        "attempts": f"{job.attempt} of {job.max_attempts}",
        "created": ago(job.created_at),
        "due": ago(job.run_at) if job.next_retry_at or job.state == "scheduled" else None,
        "ran": span(run_time(job)) if run_time(job) else None,
        "progress": f"{job.progress} % {plain(job.progress_message)}",
        "reason": job.failure_reason,
        "error": plain(job.error, width=500) if job.error else None,
        "params": plain(as_json(job.params), width=2000),
        "result": None if job.result is None else plain(as_json(job.result), width=2000),
    }
    for name, value in facts.items():
        if value:
            output.line(f"  [dim]{name:<9}[/] {value}")


def _timeline(job: wire.WholeJob, output: Output) -> None:
    output.line("\n[bold]Timeline[/]")
    rows = []
    for moment in job.timeline:
        change = f"{state(moment.before)} → {state(moment.after or '')}" if moment.before else ""
        what = change or (state(moment.after) if moment.after else "")
        by = plain(moment.actor or moment.worker or "")
        rows.append([f"{moment.at:%Y-%m-%d %H:%M:%S.%f}"[:-3], what, by, plain(moment.note or "")])
    output.table(["time (UTC)", "state", Column("by", text=14), Column("note", text=14)], rows)


def _dependencies(title: str, dependencies: Sequence[wire.Dependency], output: Output) -> None:
    if dependencies:
        output.line(f"\n[bold]{title}[/]")
        output.table(
            ["job", Column("type", text=14), "state", "was it met?", "if it fails"],
            [
                [str(each.job_id), plain(each.type or "removed"), state(each.state or ""),
                 each.verdict, each.on_failure]
                for each in dependencies
            ],
        )  # fmt: skip


def _attempts(job: wire.WholeJob, output: Output) -> None:
    ended = [attempt for attempt in job.attempts if attempt.error]
    for _, each in groupby(ended, key=lambda attempt: (attempt.outcome, attempt.error)):
        alike = list(each)
        last = alike[-1]
        output.line(f"\n{_heading(alike)}: {plain(last.error, width=500)}")
        if last.traceback and last is ended[-1]:
            for line in last.traceback.rstrip().splitlines():
                output.line(f"  [dim]{plain(line)}[/]")


def _heading(alike: list[wire.Attempt]) -> str:
    """Return what runs that ended alike, one after the other, have in common."""
    first, last = alike[0], alike[-1]
    took = f"after {last.seconds or 0:.3f} s"
    if first is last:
        return f"[bold]Run {last.run}, attempt {last.number}[/]: {last.outcome} {took}"
    return (
        f"[bold]Runs {first.run} to {last.run}[/]: {last.outcome} each time, the last, attempt "
        f"{last.number}, {took}"
    )


def _log(job: wire.WholeJob, output: Output) -> None:
    lines = job.log
    if lines:
        output.line("\n[bold]Log[/]")
        output.table(
            ["time (UTC)", "level", Column("message", text=20)],
            [
                [f"{line.at:%H:%M:%S.%f}"[:-3], line.level, plain(_message(line), width=300)]
                for line in lines
            ],
        )


def _message(line: wire.LogLine) -> str:
    return f"{line.message} {as_json(line.model_extra)}" if line.model_extra else line.message
