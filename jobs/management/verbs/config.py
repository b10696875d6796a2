"""Show every setting of the engine, its value and where it comes from."""

import re
from argparse import ArgumentParser
from typing import Any

from jobs.conf import PREFIX, jobs_settings, sources
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, plain


def add_arguments(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def run(options: dict[str, Any], output: Output) -> ExitCode:
    """Print the settings."""
    values = jobs_settings().model_dump(mode="json")
    values["redis_url"] = _without_password(values["redis_url"])
    came_from = sources()
    if output.as_json:
        output.json(
            {
                name: {"value": value, "source": came_from[name], "variable": PREFIX + name.upper()}
                for name, value in values.items()
            }
        )
    else:
        output.table(
            ["setting", "value", "from", "environment variable"],
            [
                [name.upper(), plain(value, width=90), came_from[name], PREFIX + name.upper()]
                for name, value in values.items()
            ],
        )
    return ExitCode.DONE


def _without_password(url: str) -> str:
    # Not by urlsplit: an unquoted / or # in a password would hide it from there.
    scheme, separator, rest = url.partition("://")
    if "@" in rest:
        rest = "***@" + rest.rpartition("@")[2]
    return re.sub(r"(?i)(password=)[^&]*", r"\1***", scheme + separator + rest)
