"""Encrypt what is sensitive in parameters anew, by the first of FIELD_KEYS.

Put a new key before the old ones, restart every process, run this, and take the old ones away.
"""

from argparse import ArgumentParser
from typing import Any

from jobs.management.exit_codes import ExitCode
from jobs.management.matching import counting
from jobs.management.output import Output
from jobs.services.encryption import reencrypt


def add_arguments(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Go through all jobs and schedules that have such parameters."""
    with counting(output, "encrypted anew") as on_each:
        changed = reencrypt(on_each)
    if output.as_json:
        output.json({"changed": changed})
    else:
        output.line(f"{changed} jobs and schedules encrypted anew")
    return ExitCode.DONE
