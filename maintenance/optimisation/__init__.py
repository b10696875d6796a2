"""Keeps the database small and its statistics fresh, as far as it can be done right now."""

from typing import Any

from django.db import connection

from maintenance.optimisation import postgresql, sqlite
from maintenance.optimisation.operations import Operation

__all__ = ["optimise_database"]

_ENGINES = {"sqlite": sqlite, "postgresql": postgresql}


def optimise_database(*, perform: bool = True) -> dict[str, Any]:
    """Optimise the database and say what was done; never fails.

    Args:
        perform: False only looks.

    Returns:
        `engine`, `operations` (each with its `seconds`, or why it was `skipped`),
        `size_before_bytes` and `size_after_bytes`.
    """
    engine = _ENGINES.get(connection.vendor)
    if engine is None:
        return {
            "engine": connection.vendor,
            "operations": [],
            "size_before_bytes": None,
            "size_after_bytes": None,
        }
    before = engine.size_bytes()
    operations: list[Operation] = engine.optimise() if perform else []
    return {
        "engine": connection.vendor,
        "operations": operations,
        "size_before_bytes": before,
        "size_after_bytes": engine.size_bytes() if perform else before,
    }
