"""The one clock that all processes share: the database's."""

from datetime import UTC, datetime

from django.db import connection


def database_now() -> datetime:
    """Return the database's time, aware, in UTC.

    On SQLite that is this host's clock: the file is on it.
    """
    if connection.vendor != "postgresql":
        return datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now.astimezone(UTC)  # type: ignore[no-any-return]
