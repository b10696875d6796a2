"""Reading what people type: lengths of time, moments, parameters."""

import argparse
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jobs.domain.errors import InvalidOption

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


def duration(text: str) -> timedelta:
    """Return a length of time such as `90`, `90s`, `1.5h`, `5m` or `2d`; seconds without a unit."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?", text.strip())
    if match is None or float(match[1]) * _UNITS[match[2] or "s"] > 3660 * 86_400:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a length of time; write 90s, 5m, 1.5h or 2d"
        )
    return timedelta(seconds=float(match[1]) * _UNITS[match[2] or "s"])


def moment(text: str) -> datetime:
    """Return a moment in ISO 8601, with its zone."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a moment; write 2030-01-31T09:00:00+01:00"
        ) from None


def parameters(whole: str | None, fields: list[str]) -> dict[str, Any]:
    """Return the parameters from a JSON object (`@file` reads one) and `name=value` pairs.

    A value that reads as JSON is taken as JSON, else as text.

    Raises:
        InvalidOption: something cannot be read; the message says what.
    """
    params = _object(whole) if whole else {}
    for field in fields:
        name, separator, value = field.partition("=")
        if not separator or not name:
            raise InvalidOption(f"parameter {field!r} must be written name=value")
        try:
            params[name] = json.loads(value)
        except ValueError:
            params[name] = value
    return params


def _object(text: str) -> dict[str, Any]:
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text()
        except OSError as error:
            raise InvalidOption(f"parameters {text!r} cannot be read: {error.strerror}") from None
    try:
        read = json.loads(text)
    except ValueError as error:
        raise InvalidOption(f"the parameters are not JSON: {error}") from None
    if not isinstance(read, dict):
        raise InvalidOption(f"the parameters must be a JSON object, not {type(read).__name__}")
    return read
