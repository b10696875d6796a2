"""Follow what happens to jobs, live; --since 0 begins with all that is still known."""

import json
from argparse import ArgumentParser
from typing import Any

from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, plain, state
from jobs.selectors.event_stream import NEWEST, follow


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("--since", default=NEWEST, metavar="ID", help="the last event known")
    parser.add_argument("--no-follow", action="store_true", help="end where the stream ends")


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Print events until Ctrl-C."""
    for event in follow(since=options["since"]):
        if event is None:
            if options["no_follow"]:
                break
        elif output.as_json:
            output.console.out(json.dumps(event))
        else:
            output.line(told(event))
    return ExitCode.DONE


def told(event: dict[str, Any]) -> str:
    """Return an event as a line for people."""
    at = str(event["at"])[11:23]
    what = plain(event.get("job_type") or event["event"])
    details = [str(event[name]) for name in ("failure_reason", "error_type") if event.get(name)]
    if event["event"] == "job.progress_updated":
        details.append(f"{event.get('progress')} % {event.get('message', '')}")
    shown = state(str(event["state"])) if event.get("state") else ""
    return f"[dim]{at}[/] {what} {shown} {plain(' '.join(details), width=80)}".rstrip()
