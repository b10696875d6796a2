"""Cron expressions in plain English."""

from functools import lru_cache
from typing import Final

from cron_descriptor import Options, get_description

_MACROS: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


@lru_cache(maxsize=1000)
def in_english(expression: str) -> str:
    """Return what a cron expression says, or nothing if that cannot be told."""
    options = Options()  # type: ignore[no-untyped-call]
    options.use_24hour_time_format = True
    written = expression.strip().lower()
    try:
        expanded = _MACROS.get(written, expression)
        return str(get_description(expanded, options))  # type: ignore[no-untyped-call]
    except Exception:  # noqa: BLE001 - the library raises whatever its parsing runs into
        return ""
