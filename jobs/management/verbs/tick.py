"""Do one of the timekeeper's duties once, by hand.

due: move delayed jobs and retries whose time has come. schedules: make the jobs of schedules.
rings: ring for work that nobody has taken. expiry: fail what has waited too long. reaper: rescue
the jobs of workers that are gone. dependencies: let go what waits for jobs that have ended.
batches: end those whose jobs have all ended.
"""

from argparse import ArgumentParser
from typing import Any

from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output
from jobs.runtime.duties import DUTIES


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("duty", choices=[*DUTIES, "all"])


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Do it, and tell how much there was to do."""
    names = [*DUTIES] if options["duty"] == "all" else [options["duty"]]
    done = {name: DUTIES[name]() for name in names}
    if output.as_json:
        output.json(done)
    else:
        output.table(["duty", "done"], list(done.items()))
    return ExitCode.DONE
