"""Measure this installation, beside plain Celery in the same run.

On a database of its own on the site's server, which is removed afterwards, and a Redis of its own:
nothing of the site is touched. Whole, it takes about half an hour; --only and --scale shorten it.
"""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("--only", metavar="A,C", default="", help="the letters of some rows")
    parser.add_argument("--scale", type=float, default=1.0, help="of the sizes; 0.1: a tenth")
    parser.add_argument("--slots", type=int, default=os.cpu_count() or 1, help="of a worker")
    parser.add_argument("--database-url", help="of a database on the server to measure; '': SQLite")
    parser.add_argument("--broker-url", default="", help="of a broker to measure")
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="write the JSON, and a picture beside it"
    )


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Measure."""
    # Not before it is asked for: every process of the site reads this module at its start.
    from benchmarks.measuring import measure

    return measure(options, output)
