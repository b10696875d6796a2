"""SQLite: fresh statistics, a short write-ahead log, and no more free pages than need be."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from maintenance.optimisation.operations import (
    IN_TRANSACTION,
    Operation,
    execute,
    number,
    perform,
    skipped,
)

#: More than this share of free pages is worth writing the whole file anew.
FREE_PAGES_RATIO = 0.25
_OPTIMISE = "PRAGMA optimize"
_CHECKPOINT = "PRAGMA wal_checkpoint(TRUNCATE)"
_INCREMENTAL = "PRAGMA incremental_vacuum"
_VACUUM = "VACUUM"
_INCREMENTAL_MODE = 2
#: Both wait for everyone else, and let no one write meanwhile: not for long.
_PATIENCE_MS = 1000


def size_bytes() -> int:
    """Return the size of the database, its free pages included."""
    return number("PRAGMA page_count") * number("PRAGMA page_size")


def optimise() -> list[Operation]:
    """Do what pays."""
    done, _ = perform(_OPTIMISE)
    if connection.in_atomic_block:
        return [done, *(skipped(each, IN_TRANSACTION) for each in (_VACUUM, _CHECKPOINT))]
    with _impatient():
        # The log last: whatever was vacuumed has gone through it.
        return [done, _vacuum(), _checkpoint()]


def _vacuum() -> Operation:
    incremental = number("PRAGMA auto_vacuum") == _INCREMENTAL_MODE
    statement = _INCREMENTAL if incremental else _VACUUM
    ratio = number("PRAGMA freelist_count") / max(number("PRAGMA page_count"), 1)
    if ratio <= FREE_PAGES_RATIO:
        return skipped(
            statement,
            f"{ratio:.0%} of the pages are free; it is done above {FREE_PAGES_RATIO:.0%}",
        )
    if not incremental and _free_disk_bytes() < 2 * size_bytes():
        return skipped(statement, "the disk has too little room: it takes twice the database")
    done, _ = perform(statement)
    return done


def _checkpoint() -> Operation:
    if execute("PRAGMA journal_mode")[0][0] != "wal":
        return skipped(_CHECKPOINT, "there is no write-ahead log")
    done, rows = perform(_CHECKPOINT)
    busy = bool(rows and rows[0][0])
    return skipped(_CHECKPOINT, "others are reading or writing") if busy else done


def _free_disk_bytes() -> float:
    files = [row[2] for row in execute("PRAGMA database_list") if row[1] == "main"]
    if not files or not files[0]:
        return float("inf")  # in memory
    return shutil.disk_usage(Path(files[0]).parent).free


@contextmanager
def _impatient() -> Iterator[None]:
    usual = number("PRAGMA busy_timeout")
    execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
    try:
        yield
    finally:
        execute(f"PRAGMA busy_timeout = {usual}")
