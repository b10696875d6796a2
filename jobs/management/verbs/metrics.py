"""Print every metric of this host's processes, in Prometheus' text format."""

from argparse import ArgumentParser
from typing import Any

from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output
from jobs.runtime.metrics import exposition


def add_arguments(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Print the metrics."""
    text = exposition().decode()
    if output.as_json:
        output.json({"exposition": text})
    else:
        output.console.out(text, end="")
    return ExitCode.DONE
