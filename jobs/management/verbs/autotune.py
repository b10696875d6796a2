"""Find how many slots and how long a queue suit the measured load, and what contradicts it.

manage.py jobs autotune
"""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from jobs.conf import PREFIX
from jobs.domain.advice import advice
from jobs.domain.capacity import plan
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, plain
from jobs.management.tables import Column
from jobs.selectors.capacity import inputs, observed

_NAMES = {
    "cores": "cores",
    "memory_bytes": "memory, bytes",
    "slot_bytes": "memory of one slot, bytes",
    "arrival_per_second": "jobs that arrive a second",
    "mean_run_seconds": "mean run time, seconds",
    "mean_params_bytes": "mean parameters, bytes",
    "target_utilisation_ratio": "target utilisation",
    "target_wait_seconds": "target wait, seconds",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Print the inputs, the formula, the plan and the advice."""
    measured, seen = inputs(), observed()
    found = plan(measured)
    told = advice(measured, found, seen)
    variables = {f"{PREFIX}WORKERS": found.slots, f"{PREFIX}QUEUE_SIZE": found.queue_size}
    if output.as_json:
        output.json(
            {
                "inputs": asdict(measured),
                "observed": asdict(seen),
                "plan": asdict(found),
                "set": variables,
                "advice": told,
            }
        )
        return ExitCode.DONE
    output.table(["input", "value"], [[_NAMES[k], v] for k, v in asdict(measured).items()])
    output.line()
    output.table([Column("formula", text=40)], [[plain(line)] for line in found.formula])
    output.line()
    for name, value in variables.items():
        output.line(f"{name}={value}")
    output.line("[dim]or auto, for what suits the load whenever a worker starts[/]")
    for line in told:
        output.line(f"[yellow]![/] {plain(line)}")
    return ExitCode.DONE
