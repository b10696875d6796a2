"""A worker keeps its connections to the database, and has no more than it has threads for them."""

import pytest
from django.db import connection

from jobs.models import Job
from jobs.public import NewJob, submit_many
from tests.stack import Process, eventually

#: One for each of the two processes that run jobs; in their parent one for the lease, one for the
#: timekeeper, and one for its start.
MOST = 2 + 3


def connected() -> set[int]:
    """Return the processes of the server that serve others than this test."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return {pid for (pid,) in cursor.fetchall()}


def run(count: int) -> None:
    submit_many(NewJob("sample.echo", {"value": n}) for n in range(count))
    eventually(lambda: not Job.objects.exclude(state="completed").exists(), 30)


def test_it_keeps_them(worker: Process, on_sqlite: bool) -> None:
    if on_sqlite:
        pytest.skip("SQLite has no server to connect to")
    run(500)
    held = connected()
    for _ in range(5):
        run(300)
    # A process may have had nothing to do at first.
    assert held <= connected()
    assert 0 < len(connected()) <= MOST
