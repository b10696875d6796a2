"""Show the whole site at work: on its own Redis and SQLite, in a folder of its own.

Makes a digest of a real git repository, notifies by email, webhook and Slack, keeps a schedule,
lets a job die and retries it. Stays up until Ctrl-C; with --once it ends by itself, with exit
code 0 only if every step did what it says.
"""

import logging
import secrets
import threading
import time
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist

from jobs.domain.errors import ConfigurationError, JobsError
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, plain
from jobs.management.verbs.events import told
from jobs.selectors.event_stream import follow
from jobsite.demo import stage
from jobsite.demo.expectations import StepFailed
from jobsite.env import BASE_DIR
from jobsite.supervision.site import SitePlan
from jobsite.supervision.up import site_up, wait_until_ready

_READY = timedelta(seconds=90)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("--once", action="store_true", help="end by itself")
    parser.add_argument("--repo", type=Path, default=BASE_DIR, help="default: this project's own")


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Enter the demo's surroundings, or be in them and tell the story."""
    if not stage.is_set():
        stage.enter()
    try:
        # Only what the demo needs, and only there: the rest of the site does without.
        from jobsite.demo.receivers import Receivers
        from jobsite.demo.story import Story
    except ImportError as error:
        raise ConfigurationError(
            f"the demo needs {error.name}: pip install '.[demo]', or make setup"
        ) from None
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd's, each command a line
    folder = stage.folder()
    plan = SitePlan(web_port=stage.port("web"), flower_port=stage.port("flower"), concurrency=2)
    receivers = Receivers(
        smtp_port=stage.port("smtp"),
        http_port=stage.port("http"),
        secret=settings.WEBHOOK_SECRET,
        folder=folder,
    )
    log = _Log(folder / "log")
    output.line("[bold]Jobsite demo[/]: starting worker, beat, web, Flower and Redis …")
    with site_up(plan, output, migrate=True, log=log) as (supervisor, stop):
        receivers.start()
        try:
            if late := wait_until_ready(plan, supervisor, stop, _READY):
                output.line(f"[red]not ready: {', '.join(late)}[/]; see {log.folder}")
                return ExitCode.FAILED
            story = Story(options["repo"].resolve(), receivers, plan, folder)
            code = _tell(story, stop, output)
            if not options["once"] and not stop.is_set():
                _say_where(plan, receivers, log, output)
                while not stop.wait(0.5):
                    supervisor.watch()
        finally:
            receivers.stop()
    return code


def _tell(story: Any, stop: threading.Event, output: Output) -> ExitCode:
    threading.Thread(target=_show_events, args=(output,), name="events", daemon=True).start()
    failed = 0
    steps = story.steps()
    for number, (title, step) in enumerate(steps, 1):
        if stop.is_set():
            output.line("stopped before its end")
            return ExitCode.INTERRUPTED
        output.line(f"\n[bold]{number}. {title}[/]")
        began = time.monotonic()
        with output.console.status("…"):
            try:
                lines, mark = step(), "[green]✔[/]"
            except (StepFailed, JobsError, ObjectDoesNotExist, OSError) as error:
                lines, mark = [str(error) or type(error).__name__], "[red]✘[/]"
                failed += 1
        took = time.monotonic() - began
        for line in lines:
            output.line(f"   {plain(line, width=160)}")
        output.line(f"   {mark} [dim]{took:.1f} s[/]")
    if failed:
        output.line(f"\n[red bold]{failed} of {len(steps)} steps failed[/]")
        return ExitCode.FAILED
    output.line(f"\n[green bold]all {len(steps)} steps did what they say[/]")
    return ExitCode.DONE


def _show_events(output: Output) -> None:
    """Print what happens to jobs, as it happens, from the stream that every process writes to."""
    try:
        for event in follow():
            if event is not None:
                output.line(f"   {told(event)}")
    except ConfigurationError:
        return  # the site is stopping


def _say_where(plan: SitePlan, receivers: Any, log: "_Log", output: Output) -> None:
    password = secrets.token_urlsafe(9)
    get_user_model().objects.create_superuser("demo", "demo@example.com", password)
    output.line("\n[bold]Look around[/]")
    output.line(f"  admin     {plan.web_url}/admin/   user demo, password {password}")
    output.line(f"  Flower    {plan.flower_url}   user jobsite, password {plan.flower_password}")
    output.line(f"  mailbox   {receivers.url}   files in {receivers.mailbox_folder}")
    output.line(f"  logs      {log.folder}")
    output.line("Ctrl-C stops everything.\n")


class _Log:
    """Keeps each process's lines in a file of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, name: str, line: str) -> None:
        with (self.folder / f"{name}.log").open("a") as file:
            file.write(line + "\n")
