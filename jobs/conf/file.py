"""The settings' file, in TOML: its path is in `JOBSITE_CONFIG`.

::

    [features]
    job_queue = true

    [job_queue]
    profile = "latency"
    batch_size = 40
"""

import os
import tomllib
from pathlib import Path
from typing import Any

from jobs.domain.errors import ConfigurationError

VARIABLE = "JOBSITE_CONFIG"
SETTINGS = "job_queue"
FEATURES = "features"
_FEATURES = ("job_queue", "metrics")


def config_file() -> Path | None:
    """Return the file that the environment names, if it names one."""
    return Path(text) if (text := os.environ.get(VARIABLE)) else None


def read_file() -> list[tuple[str, Any, str]]:
    """Return what the file sets: each name, its value, and the table that it stands in.

    Raises:
        ConfigurationError: the file cannot be read, is not TOML, or has a table that nobody reads.
    """
    path = config_file()
    if path is None:
        return []
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"{VARIABLE} names {path}, which cannot be read: {error.strerror}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from None
    found: list[tuple[str, Any, str]] = []
    for name, table in tables.items():
        if name not in (SETTINGS, FEATURES) or not isinstance(table, dict):
            raise ConfigurationError(
                f"{path} has {name!r}, which nobody reads: settings stand in [{SETTINGS}], and "
                f"{' and '.join(_FEATURES)} in [{FEATURES}]"
            )
        found += [(key, value, name) for key, value in table.items()]
    for key, value, table in found:
        if table == FEATURES and not (key in _FEATURES and isinstance(value, bool)):
            raise ConfigurationError(
                f"{key} in [{FEATURES}] of {path} is {value!r}: there are {' and '.join(_FEATURES)}"
                ", each true or false"
            )
    return found
