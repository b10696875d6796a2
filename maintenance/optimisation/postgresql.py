"""PostgreSQL: the tables that rows come and go in are vacuumed, their statistics made anew."""

from django.apps import apps
from django.db import connection

from maintenance.optimisation.operations import (
    IN_TRANSACTION,
    Operation,
    number,
    perform,
    skipped,
)

#: The apps whose tables the clean-up removes rows from.
_APPS = {"jobs", "maintenance", "sessions", "django_celery_results"}


def size_bytes() -> int:
    """Return the size of the database on disk."""
    return number("SELECT pg_database_size(current_database())")


def optimise() -> list[Operation]:
    """Vacuum each table; one that someone else holds is passed over."""
    tables = sorted(
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in _APPS and model._meta.managed and not model._meta.proxy
    )
    names = ", ".join(connection.ops.quote_name(table) for table in tables)
    statement = f"VACUUM (ANALYZE, SKIP_LOCKED) {names}"
    if connection.in_atomic_block or not connection.get_autocommit():
        return [skipped(statement, IN_TRANSACTION)]
    done, _ = perform(statement)
    return [done]
