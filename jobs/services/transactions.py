"""What happens inside a caller's transaction."""

from contextlib import AbstractContextManager, nullcontext

from django.db import connection, transaction


def sparing_the_callers() -> AbstractContextManager[None]:
    """Return a context in which an error of the database does not end a caller's transaction.

    Without one it costs nothing: each statement is a transaction of its own.
    """
    return transaction.atomic() if connection.in_atomic_block else nullcontext()
