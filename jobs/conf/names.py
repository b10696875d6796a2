"""The names that a setting is known by: its own, and those that others use for the same."""

import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jobs.conf.model import JobsSettings
from jobs.domain.errors import ConfigurationError


class Unusable(ValueError):
    """A value has no meaning under this name; the message says what would have."""


@dataclass(frozen=True, slots=True)
class OtherName:
    """Another name of a setting.

    Attributes:
        setting: its own name.
        read: returns the setting's value for one under this name; None: as if nothing was said.
            It raises `Unusable`.
    """

    setting: str
    read: Callable[[Any], Any] = lambda value: value


def _number(value: Any) -> float:
    try:
        if not isinstance(value, bool) and math.isfinite(number := float(value)):
            return number
    except (TypeError, ValueError, OverflowError):
        pass
    raise Unusable("must be a number")


def _milliseconds(value: Any) -> float:
    return _number(value) / 1000


def _retries(value: Any) -> int:
    number = _number(value)
    if number < 0 or number != int(number):
        raise Unusable("must be a whole number from 0")
    return int(number) + 1


_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True}
_BOOLEANS |= {"false": False, "0": False, "no": False, "off": False}


def _switched_off(value: Any) -> str | None:
    on = value if isinstance(value, bool) else _BOOLEANS.get(str(value).lower())
    if on is None:
        raise Unusable("must be true or false")
    return None if on else "immediate"


OTHER_NAMES = {
    "url": OtherName("redis_url"),
    "batch_timeout_secs": OtherName("batch_timeout_seconds"),
    "max_retries": OtherName("max_attempts", _retries),
    "worker_concurrency": OtherName("workers"),
    "initial_delay_ms": OtherName("backoff_base_seconds", _milliseconds),
    "max_delay_ms": OtherName("backoff_cap_seconds", _milliseconds),
    # Turned off, a submission runs the job at once, and returns the same.
    "job_queue": OtherName("backend", _switched_off),
}


def all_names() -> list[str]:
    """Return every name that a setting may be given by."""
    return [*JobsSettings.model_fields, *OTHER_NAMES]


def other_names(setting: str) -> list[str]:
    """Return the other names of a setting."""
    return [name for name, other in OTHER_NAMES.items() if other.setting == setting]


def check_name(name: str, where: str) -> None:
    """Do nothing if a setting has that name.

    Raises:
        ConfigurationError: none has; the message suggests the nearest.
    """
    if name in JobsSettings.model_fields or name in OTHER_NAMES:
        return
    close = difflib.get_close_matches(name, all_names(), n=1)
    hint = f"did you mean {close[0]!r}?" if close else "see `manage.py jobs config`"
    raise ConfigurationError(f"{where}: there is no such setting; {hint}")


def read(name: str, value: Any, where: str) -> tuple[str, Any]:
    """Return the setting that a name stands for, and the value that it stands for there.

    Raises:
        ConfigurationError: the value has no meaning under that name.
    """
    other = OTHER_NAMES.get(name)
    if other is None:
        return name, value
    try:
        return other.setting, other.read(value)
    except Unusable as wrong:
        raise ConfigurationError(f"{where} is {value!r}: {wrong}") from None
