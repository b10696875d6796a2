"""Run the whole site on this machine: worker, beat, web and Flower.

With no service configured it brings its own Redis and a SQLite database. Stop it with Ctrl-C.
"""

import signal
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from types import FrameType
from typing import Any

from django.core.management import call_command

from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, plain
from jobsite.env import environment
from jobsite.supervision.embedded_redis import EmbeddedRedis
from jobsite.supervision.site import SitePlan
from jobsite.supervision.supervisor import Supervisor, only_one

_COLOURS = {"redis": "red", "worker": "green", "beat": "yellow", "web": "cyan", "flower": "magenta"}
_READY = timedelta(seconds=60)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("--web-port", type=int, default=8000, help="default 8000; 0: no web")
    parser.add_argument("--flower-port", type=int, default=5555, help="default 5555; 0: no Flower")
    parser.add_argument("--concurrency", type=int, default=0, help="default 0: one per core")
    parser.add_argument("--no-migrate", action="store_true", help="leave the tables as they are")


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Start everything, and stay until a signal."""
    plan = SitePlan(
        web_port=options["web_port"],
        flower_port=options["flower_port"],
        concurrency=options["concurrency"],
    )
    with site_up(plan, output, migrate=not options["no_migrate"]) as (supervisor, stop):
        late = wait_until_ready(plan, supervisor, stop, _READY)
        if not stop.is_set():
            _say_where(plan, late, output)
        while not stop.wait(0.5):
            supervisor.watch()
    return ExitCode.DONE


def wait_until_ready(
    plan: SitePlan, supervisor: Supervisor, stop: Event, timeout: timedelta
) -> list[str]:
    """Wait until every process answers, or a signal asks for the end.

    Returns:
        The names of those that do not answer.
    """
    ends = time.monotonic() + timeout.total_seconds()
    while (late := plan.not_ready()) and time.monotonic() < ends and not stop.wait(0.2):
        supervisor.watch()
    return late


def _say_where(plan: SitePlan, late: list[str], output: Output) -> None:
    for name in late:
        output.line(f"[red]{name} is not ready: see its lines above[/]")
    at = f" at {plan.web_url}/admin/" if plan.web_port else ""
    output.line(f"\n[bold]Jobsite is up[/]{at}")
    if plan.flower_port:
        output.line(f"Flower at {plan.flower_url}, user jobsite, {plan.flower_password}")
    login = "an admin login: manage.py createsuperuser. " if plan.web_port else ""
    output.line(f"{login}Ctrl-C stops everything.\n")


@contextmanager
def site_up(
    plan: SitePlan, output: Output, *, migrate: bool, log: Any = None
) -> Iterator[tuple[Supervisor, Event]]:
    """Have the site up inside the `with`; the event is set when a signal asks for the end.

    Args:
        plan: what to start.
        output: where the processes' lines go, unless `log` is given.
        migrate: bring the tables up to date first.
        log: a function of (name, line) that takes the lines instead.

    Raises:
        ConfigurationError: the site is up already, a port is taken, or Redis cannot run.
    """

    def show(name: str, line: str) -> None:
        output.line(f"[{_COLOURS.get(name, 'white')}]{name:>7}[/] {plain(line)}")

    sink = log or show
    with only_one(environment().jobsite_var), _signals() as stop:
        plan.check_ports()
        redis = EmbeddedRedis(sink)
        with redis.running():
            if migrate:
                call_command("migrate", verbosity=0)
            children = plan.children(sink, _log_format(output))
            supervisor = Supervisor(children, sink=sink, also_watch=redis.watch)
            try:
                supervisor.start()
                yield supervisor, stop
            finally:
                began = time.monotonic()
                supervisor.stop()
                output.line(f"stopped in {time.monotonic() - began:.1f} s")


def _log_format(output: Output) -> dict[str, str]:
    """Return what tells the processes, which write to pipes, that people read their lines."""
    for_people = environment().log_format == "auto" and output.console.is_terminal
    return {"LOG_FORMAT": "console"} if for_people else {}


@contextmanager
def _signals() -> Iterator[Event]:
    """Turn SIGINT and SIGTERM into an event; the second one raises."""
    stop = Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {each: signal.signal(each, ask) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
