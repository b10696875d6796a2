"""Follow what happens to jobs, live; --since 0 begins with all that is still known."""

import json
from argparse import ArgumentParser
from typing import Any

from jobs.domain.errors import InvalidOption
from jobs.domain.events import EventName
from jobs.domain.states import State
from jobs.management.exit_codes import ExitCode
from jobs.management.finding import SHORTEST
from jobs.management.output import Output, plain, state
from jobs.management.sites import Site
from jobs.selectors.event_stream import NEWEST

#: Events that say no more than the state which they lead to.
_STATE_OF: dict[str, State] = {
    EventName.QUEUED: State.QUEUED,
    EventName.STARTED: State.RUNNING,
    EventName.RETRYING: State.RETRYING,
    EventName.COMPLETED: State.COMPLETED,
    EventName.FAILED: State.FAILED,
    EventName.CANCELLED: State.CANCELLED,
}


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("--since", default=NEWEST, metavar="ID", help="the last event known")
    parser.add_argument("--no-follow", action="store_true", help="end where the stream ends")


def run(options: dict[str, Any], output: Output, site: Site) -> ExitCode:
    """Print events until Ctrl-C."""
    if options["no_follow"] and not site.is_here:
        raise InvalidOption("where another site's stream ends is not known: leave out --no-follow")
    for event in site.events(options["since"]):
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
    job_id, reached = str(event.get("job_id") or ""), str(event.get("state") or "")
    parts = [
        f"[dim]{at}[/]",
        job_id[-SHORTEST:],
        plain(event.get("job_type") or ""),
        state(reached) if reached else "",
        "" if _STATE_OF.get(event["event"]) == reached else _name(event["event"]),
        plain(" ".join(_details(event)), width=80),
    ]
    return " ".join(part for part in parts if part)


def _name(event: str) -> str:
    return plain(event.removeprefix("job.").replace("_", " "))


def _details(event: dict[str, Any]) -> list[str]:
    names = ("schedule", "worker", "failure_reason", "error_type")
    details = [str(event[name]) for name in names if event.get(name)]
    if event["event"] == EventName.PROGRESS_UPDATED:
        details.append(f"{event.get('progress')} % {event.get('message', '')}".rstrip())
    if event.get("actor"):
        details.append(f"by {event['actor']}")
    return details
