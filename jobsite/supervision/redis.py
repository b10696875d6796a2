"""See, start or stop the Redis that the site brings along."""

from argparse import ArgumentParser
from typing import Any

from jobs.domain.errors import ConfigurationError
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, plain
from jobsite import embedded


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("action", choices=["status", "start", "stop"], nargs="?", default="status")


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Do it, then say how it stands."""
    try:
        if options["action"] == "start":
            embedded.ensure_running()
        elif options["action"] == "stop":
            embedded.stop()
    except embedded.EmbeddedRedisError as error:
        raise ConfigurationError(str(error)) from None
    found = embedded.status()
    pid = found.server.pid if found.server else None
    if output.as_json:
        output.json({"state": str(found.state), "pid": pid, "detail": found.detail})
    else:
        process = f", process {pid}" if pid else ""
        output.line(f"embedded Redis: {found.state}{process} {plain(found.detail)}".rstrip())
    blocked = found.state == embedded.State.BLOCKED
    return ExitCode.FAILED if blocked else ExitCode.DONE
