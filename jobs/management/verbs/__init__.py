"""The verbs of `manage.py jobs`, one module each: `add_arguments(parser)` and `run(options, …)`."""

from argparse import ArgumentParser
from typing import Any, Protocol

from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output
from jobs.management.sites import Site
from jobs.management.verbs import (
    audit,
    autotune,
    batches,
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
    """What the module has of a verb that works on this site alone; its docstring is its help."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the verb's arguments."""

    def run(self, options: dict[str, Any], output: Output) -> ExitCode:
        """Do it."""


class SiteVerb(Protocol):
    """What the module has of a verb that works on any site; its docstring is its help."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the verb's arguments."""

    def run(self, options: dict[str, Any], output: Output, site: Site) -> ExitCode:
        """Do it there."""


#: Those that work on another site as well: what its API has.
SITE_VERBS: dict[str, SiteVerb] = {
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
    "types": types,
    "stats": stats,
}
#: Those of this site alone.
VERBS: dict[str, Verb] = {
    "tick": tick,
    "ledger": ledger,
    "batches": batches,
    "keys": keys,
    "tenants": tenants,
    "hooks": hooks,
    "audit": audit,
    "reencrypt": reencrypt,
    "purge": purge,
    "autotune": autotune,
    "config": config,
    "middleware": middleware,
    "metrics": metrics,
}


def all_verbs() -> dict[str, Verb | SiteVerb]:
    """Return every verb by its name, those that work on any site first."""
    return {**SITE_VERBS, **VERBS}
