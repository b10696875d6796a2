"""The verbs of `manage.py jobs`, one module each: `add_arguments(parser)` and `run(options)`."""

from argparse import ArgumentParser
from typing import Any, Protocol

from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output
from jobs.management.verbs import (
    audit,
    autotune,
    cancel,
    config,
    discard,
    events,
    hooks,
    keys,
    ledger,
    list_jobs,
    metrics,
    middleware,
    pause,
    purge,
    queues,
    reencrypt,
    resume,
    retry,
    show,
    stats,
    submit,
    tenants,
    tick,
    trigger,
    types,
    watch,
)


class Verb(Protocol):
    """What a verb's module has; its docstring is its help."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the verb's arguments."""

    def run(self, options: dict[str, Any], output: Output) -> ExitCode:
        """Do it."""


VERBS: dict[str, Verb] = {
    "submit": submit,
    "list": list_jobs,
    "show": show,
    "watch": watch,
    "events": events,
    "cancel": cancel,
    "retry": retry,
    "discard": discard,
    "trigger": trigger,
    "queues": queues,
    "pause": pause,
    "resume": resume,
    "tick": tick,
    "ledger": ledger,
    "types": types,
    "keys": keys,
    "tenants": tenants,
    "hooks": hooks,
    "audit": audit,
    "reencrypt": reencrypt,
    "stats": stats,
    "purge": purge,
    "autotune": autotune,
    "config": config,
    "middleware": middleware,
    "metrics": metrics,
}
