"""Empty the tables between tests while the live worker and beat go on using them."""

from collections.abc import Iterable
from unittest.mock import patch

from django.db import OperationalError, connection

from jobs.models.audit_guard import TABLE, guarding, unguarding

_TRIES = 50
#: Less than PostgreSQL's deadlock_timeout, after which it would end either of the two.
_LOCK_TIMEOUT = "300ms"


def flush_beside_live_processes() -> None:
    """Have Django's flush give way to the live processes and try again.

    TRUNCATE locks table by table, and so may meet a worker that goes the other way.
    """
    flush = connection.ops.execute_sql_flush

    def patient_flush(sql_list: Iterable[str]) -> None:
        statements = list(sql_list)
        for left in reversed(range(_TRIES)):
            try:
                _set_lock_timeout(_LOCK_TIMEOUT)
                flush(statements)
                break
            except OperationalError:
                if not left:
                    raise
            finally:
                _set_lock_timeout("0")

    patch.object(connection.ops, "execute_sql_flush", patient_flush).start()


def _set_lock_timeout(value: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [value])


def flush_past_the_audit_guard() -> None:
    """Have Django's flush empty the audit log too, which the database refuses to everyone else."""
    flush = connection.ops.execute_sql_flush
    if connection.vendor == "postgresql":
        off = [f"ALTER TABLE {TABLE} DISABLE TRIGGER USER"]
        on = [f"ALTER TABLE {TABLE} ENABLE TRIGGER USER"]
    else:
        off, on = unguarding(connection.vendor), guarding(connection.vendor)

    def flush_all(sql_list: Iterable[str]) -> None:
        flush([*off, *sql_list, *on])

    patch.object(connection.ops, "execute_sql_flush", flush_all).start()
