"""The options by which a verb picks many jobs, and the bar that shows how far it is."""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

from rich.progress import Progress, SpinnerColumn, TextColumn

from jobs.domain.errors import InvalidOption
from jobs.domain.registry import registry
from jobs.domain.states import FailureReason
from jobs.management.arguments import duration
from jobs.management.output import Output
from jobs.models import Job
from jobs.selectors.listings import JobFilters

_OPTIONS = {
    "job_type": "--type",
    "failure_reason": "--reason",
    "error_type": "--error",
    "created_after": "--since",
}


def add_filters(parser: ArgumentParser) -> None:
    """Declare them; at least one is wanted, so that nobody means one job and hits all."""
    parser.add_argument("--all", action="store_true", dest="every", help="every one there is")
    parser.add_argument("--type", dest="job_type", help="those of a job type")
    parser.add_argument(
        "--reason", choices=[each.value for each in FailureReason], help="those that failed so"
    )
    parser.add_argument("--error", metavar="CLASS", help="those that ended in such an exception")
    parser.add_argument("--since", type=duration, help="created in the last, such as 1h")


def filters(options: dict[str, Any]) -> JobFilters:
    """Return what was picked; empty if nothing was.

    Raises:
        InvalidOption: `--all` was given beside something that narrows it.
    """
    since = options["since"]
    given: dict[str, Any] = {
        "job_type": options["job_type"],
        "failure_reason": options["reason"],
        "error_type": options["error"],
        "created_after": datetime.now(UTC) - since if since else None,
    }
    found = {name: value for name, value in given.items() if value is not None}
    if found and options["every"]:
        names = ", ".join(_OPTIONS[name] for name in found)
        raise InvalidOption(f"--all and {names} were both given; give one of them")
    return cast(JobFilters, found)


def checked_type(name: str | None) -> str | None:
    """Return the name of a job type, also of one that is gone if it has jobs still.

    Raises:
        UnknownJobType: it is neither registered nor any job's; the message suggests another one.
    """
    if name and name not in registry and not Job.objects.filter(job_type=name).exists():
        registry.get(name)
    return name


@contextmanager
def counting(output: Output, done: str) -> Iterator[Callable[[int], None]]:
    """Show how many are done, if someone watches; yield what takes the number."""
    columns = (SpinnerColumn(), TextColumn("{task.completed} jobs " + done))
    hidden = not output.shows_progress
    with Progress(*columns, console=output.remarks, transient=True, disable=hidden) as bar:
        shown = bar.add_task("", total=None)
        yield lambda count: bar.update(shown, completed=count)
