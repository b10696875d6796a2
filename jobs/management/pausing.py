"""What the verbs `pause` and `resume` share."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Protocol

from django.db import transaction

from jobs.management.actor import command_line_actor
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output


class ActOnQueue(Protocol):
    """What is done to a queue, such as `jobs.public.pause_queue`."""

    def __call__(self, name: str, *, actor: str) -> list[str]:
        """Do it and return the queues that were changed."""


def add_queues(parser: ArgumentParser) -> None:
    """Declare which queues are meant."""
    parser.add_argument(
        "queues",
        metavar="queue",
        nargs="+",
        help="such as low or mail.high; mail for all four priorities of a type's own; or all",
    )


def steer_queues(act: ActOnQueue, names: Sequence[str], output: Output, *, done: str) -> ExitCode:
    """Do it to each queue, and tell which were changed; to none, if one of them is unknown."""
    with transaction.atomic():
        changed = [queue for name in names for queue in act(name, actor=command_line_actor())]
    if output.as_json:
        output.json({done: changed})
    else:
        output.line(f"{done}: {', '.join(changed) or f'none, they were {done} already'}")
    return ExitCode.DONE
