"""What the verbs `pause` and `resume` share."""

from argparse import ArgumentParser
from collections.abc import Callable, Sequence

from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output


def add_queues(parser: ArgumentParser) -> None:
    """Declare which queues are meant."""
    parser.add_argument(
        "queues",
        metavar="queue",
        nargs="+",
        help="such as low or mail.high; mail for all four priorities of a type's own; or all",
    )


def steer_queues(
    act: Callable[[Sequence[str]], Sequence[str]],
    names: Sequence[str],
    output: Output,
    *,
    done: str,
) -> ExitCode:
    """Do it to each queue, and tell which were changed; here to none, if one is unknown."""
    changed = list(act(names))
    if output.as_json:
        output.json({done: changed})
    else:
        output.line(f"{done}: {', '.join(changed) or f'none, they were {done} already'}")
    return ExitCode.DONE
