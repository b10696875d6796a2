"""One statement that optimises, and what is told about it."""

import time
from typing import Any, NotRequired, TypedDict

from django.db import DatabaseError, connection

IN_TRANSACTION = "inside a transaction"


class Operation(TypedDict):
    """What became of a statement: it took `seconds`, or was `skipped` for a reason."""

    operation: str
    seconds: NotRequired[float]
    skipped: NotRequired[str]


def skipped(operation: str, reason: str) -> Operation:
    """Return that it was left out."""
    return {"operation": operation, "skipped": reason}


def perform(operation: str) -> tuple[Operation, list[Any]]:
    """Execute the statement; return what is told about it, and its rows.

    A database that is too busy, or does not allow it, is a reason to skip: the next time is soon.
    """
    began = time.monotonic()
    try:
        rows = execute(operation)
    except DatabaseError as error:
        return skipped(operation, f"the database refused: {error}".strip()), []
    return {"operation": operation, "seconds": round(time.monotonic() - began, 4)}, rows


def execute(statement: str) -> list[Any]:
    """Execute a statement and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def number(statement: str) -> int:
    """Return the one number that the statement finds."""
    return int(execute(statement)[0][0])
