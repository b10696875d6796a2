"""The engine's settings, checked at start.

The environment (`JOBSITE_…`) goes before the settings' file (`JOBSITE_CONFIG`), that before `JOBS`
in Django's settings, that before the profile, and that before the default. `manage.py jobs config`
prints each setting with its value and where it came from.
"""

from functools import cache
from typing import Any

from django.core.signals import setting_changed
from pydantic import ValidationError

from jobs.conf import layers
from jobs.conf.layers import PREFIX
from jobs.conf.model import DEFAULT_MIDDLEWARE, JobsSettings
from jobs.domain.errors import ConfigurationError

__all__ = [
    "DEFAULT_MIDDLEWARE",
    "PREFIX",
    "JobsSettings",
    "configured_redis_url",
    "jobs_settings",
    "sources",
    "where",
]


def sources() -> dict[str, str]:
    """Return where each setting's value comes from, such as `environment` or `profile latency`.

    A value given under another name than the setting's own comes with that name.
    """
    given = layers.given()
    return {
        name: given[name].source if name in given else "default"
        for name in JobsSettings.model_fields
    }


def where(name: str) -> str:
    """Return where a setting that is set was set, for messages."""
    return layers.given()[name].where


@cache
def jobs_settings() -> JobsSettings:
    """Return the settings, read once.

    Raises:
        ConfigurationError: a value is wrong or a name unknown; the message says which and where.
    """
    given = layers.given()
    try:
        loaded = JobsSettings(**{name: each.value for name, each in given.items()})
        loaded.backoff  # noqa: B018 - base and cap are checked against each other
        loaded.scaling  # noqa: B018 - so are these bounds
    except ValidationError as error:
        lines = []
        for one in error.errors(include_url=False):
            name, *path = (str(part) for part in one["loc"] if part != "[key]")
            where, wrong = given[name].where, given[name].written
            # The place of a dictionary's key, and the branch of a union, are of pydantic's making.
            if (
                path := [part for part in path if part != "[key]"]
                if isinstance(wrong, dict)
                else []
            ):
                where, wrong = f"{where} at {'.'.join(path)}", one["input"]
            lines.append(f"{where} is {wrong!r}: {one['msg']}")
        raise ConfigurationError("; ".join(dict.fromkeys(lines))) from None
    return loaded


def configured_redis_url() -> str:
    """Return the Redis that the environment or the settings' file names; empty for none.

    Needs no Django settings: those are made of it.

    Raises:
        ConfigurationError: the file cannot be used.
    """
    given = (layers.file() | layers.environment()).get("redis_url")
    return str(given.value) if given else ""


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "JOBS":
        jobs_settings.cache_clear()


setting_changed.connect(_forget, dispatch_uid="jobs.conf")
