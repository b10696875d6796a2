"""Show every setting of the engine, its value and where it comes from."""

import re
from argparse import ArgumentParser
from typing import Any

from jobs.conf import PREFIX, jobs_settings, sources
from jobs.conf.names import other_names
from jobs.management.exit_codes import ExitCode
from jobs.management.output import Output, as_json, plain
from jobs.management.tables import Column

_COLUMNS = [
    Column("setting"),
    Column("value", text=24),
    Column("from"),
    Column("environment variable", spare=1),
]


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
                name: {
                    "value": value,
                    "source": came_from[name],
                    "variable": PREFIX + name.upper(),
                    "other_names": other_names(name),
                }
                for name, value in values.items()
            }
        )
    else:
        output.table(
            _COLUMNS,
            [
                [name.upper(), _shown(value), came_from[name], PREFIX + name.upper()]
                for name, value in values.items()
            ],
        )
    return ExitCode.DONE


def _shown(value: object) -> str:
    """Return the value as it is written in the environment."""
    return plain(value if isinstance(value, str) else as_json(value))


def _without_password(url: str) -> str:
    # Not by urlsplit: an unquoted / or # in a password would hide it from there.
    scheme, separator, rest = url.partition("://")
    if "@" in rest:
        rest = "***@" + rest.rpartition("@")[2]
    return re.sub(r"(?i)(password=)[^&]*", r"\1***", scheme + separator + rest)
