"""Where settings come from: layers, each with what it sets, the higher above the lower."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_origin

from django.conf import settings
from pydantic_core import from_json

from jobs.conf.file import config_file, read_file
from jobs.conf.model import JobsSettings
from jobs.conf.names import all_names, check_name, read
from jobs.domain.errors import ConfigurationError
from jobs.domain.profiles import PROFILES

PREFIX = "JOBSITE_"


@dataclass(frozen=True, slots=True)
class Given:
    """A value that someone gave to a setting.

    Attributes:
        value: as the setting takes it.
        written: as it was written.
        where: where to mend it: `JOBSITE_MAX_RETRIES in the environment`.
        source: where it came from: `environment (JOBSITE_MAX_RETRIES)`.
    """

    value: Any
    written: Any
    where: str
    source: str


Layer = dict[str, Given]


def environment() -> Layer:
    """Return what the environment sets, in variables `JOBSITE_…`."""
    found = []
    for name in all_names():
        variable = PREFIX + name.upper()
        text = os.environ.get(variable)
        if text is not None:
            where = f"{variable} in the environment"
            found.append((name, _from_text(name, text, variable), where, "environment", variable))
    return _layer(found)


def file() -> Layer:
    """Return what the settings' file sets."""
    path = config_file()
    return _layer(
        (name, value, f"{name} in [{table}] of {path}", "file", name)
        for name, value, table in read_file()
    )


def declared() -> Layer:
    """Return what `JOBS` in Django's settings sets."""
    return _layer(
        (name.lower(), value, f'JOBS["{name}"]', "settings", name)
        for name, value in getattr(settings, "JOBS", {}).items()
    )


def profile(name: Any) -> Layer:
    """Return what the profile of that name sets; nothing if there is none."""
    told = f"profile {name}"
    return {
        setting: Given(value, value, f"{setting.upper()} of the {told}", told)
        for setting, value in PROFILES.get(name, {}).items()
    }


def given() -> Layer:
    """Return what is set, by whichever layer is the highest that sets it.

    Raises:
        ConfigurationError: a name is unknown, or a value has no meaning under the name it has.
    """
    explicit = declared() | file() | environment()
    chosen = explicit.get("profile")
    return profile(chosen.value if chosen else "") | explicit


def _layer(found: Iterable[tuple[str, Any, str, str, str]]) -> Layer:
    layer: Layer = {}
    for name, written, where, source, spelt in found:
        check_name(name, where)  # without its value, which may be a secret
        setting, value = read(name, written, where)
        if setting in layer:
            raise ConfigurationError(
                f"{layer[setting].where} and {where} are the same setting: leave one out"
            )
        if value is not None:
            told = source if setting == name else f"{source} ({spelt})"
            layer[setting] = Given(value, written, where, told)
    return layer


def _from_text(name: str, text: str, variable: str) -> Any:
    field = JobsSettings.model_fields.get(name)
    kind = get_origin(field.annotation) if field else None
    if kind not in (list, dict):
        return text
    try:
        return from_json(text)
    except ValueError:
        example = '["…", "…"]' if kind is list else '{"…": …}'
        raise ConfigurationError(f"{variable} is not JSON: {text!r}; write {example}") from None
