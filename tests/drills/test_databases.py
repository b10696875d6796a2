"""The database goes, or can no longer be written."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import DatabaseError, connection

from jobs.models import Job
from jobs.public import NewJob, get, submit, submit_many
from tests.drills.conftest import Start
from tests.drills.drill import RECOVERY_SECONDS, Drill
from tests.stack import Stack, eventually


@pytest.fixture
def only_postgresql(stack: Stack) -> None:
    if stack.cluster is None:
        pytest.skip("the database is no server of this run's own")


@pytest.fixture
def read_only(stack: Stack, only_postgresql: None) -> Iterator[Callable[[bool], None]]:
    """Make every new transaction of the database read-only, or writable again."""

    def change(on: bool) -> None:
        assert stack.cluster is not None
        name = connection.settings_dict["NAME"]
        address = urlsplit(stack.cluster.url)._replace(path="/postgres").geturl()
        with psycopg.connect(address, autocommit=True) as server:
            server.execute("SET default_transaction_read_only = off")
            # On the database, so that it holds for each new connection; the old ones are ended.
            value = "on" if on else "off"
            server.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}')
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND pid <> pg_backend_pid()",
                [name],
            )
        connection.close()

    yield change
    change(False)


@pytest.mark.drill_of(6, "the database restarted in the middle of jobs")
@pytest.mark.usefixtures("only_postgresql")
def test_the_database_restarts(
    drill: Drill, stack: Stack, start_worker: Start, start_beat: Start
) -> None:
    start_beat()
    worker = start_worker()
    drill.submit(2, params={"seconds": 4})
    drill.submit(20, params={"seconds": 0.05})
    eventually(lambda: drill.witness.count("begin").total() == 2, 20)
    assert stack.cluster is not None
    stack.cluster.halt()
    drill.disturbed()
    # Their work ends while there is no database to tell it to.
    eventually(lambda: drill.witness.count("effect").total() == 2, 10)
    stack.cluster.run()
    connection.close()
    drill.account(within=40, runs_at_most=1)
    assert [job.run for job in Job.objects.filter(pk__in=drill.ids[:2])] == [1, 1]
    assert worker.returncode is None


def _has_ended(drill: Drill, count: int) -> bool:
    return drill.witness.count("effect").total() > count


@pytest.mark.drill_of("6c", "the database restarted under takes of many jobs, three times")
@pytest.mark.usefixtures("only_postgresql")
def test_the_database_restarts_under_takes_of_many(
    drill: Drill, stack: Stack, start_worker: Start, start_beat: Start
) -> None:
    """Whatever an answer was lost of, a take or what it ended in, nothing runs twice."""
    start_beat()
    start_worker()
    new = [
        NewJob("sample.step", {"path": str(drill.witness.path), "label": str(number)})
        for number in range(20_000)
    ]
    drill.ids += [each for each in submit_many(new).job_ids if each is not None]
    assert stack.cluster is not None
    for ended in (2_000, 8_000, 14_000):
        eventually(partial(_has_ended, drill, ended), 60)
        stack.cluster.halt()
        stack.cluster.run()
        connection.close()
    drill.disturbed()
    drill.account(within=60, runs_at_most=1)


@pytest.mark.drill_of("6b", "a host is gone in the middle of a write")
@pytest.mark.usefixtures("only_postgresql")
def test_a_lock_that_nobody_gives_back(
    drill: Drill, stack: Stack, start_worker: Start, start_beat: Start
) -> None:
    start_beat()
    worker = start_worker()
    held, other = drill.submit(2, params={"seconds": 4})
    eventually(lambda: drill.witness.count("begin").total() == 2, 20)
    address = urlsplit(stack.env["DATABASE_URL"]).geturl()
    # The server believes in a connection whose host has lost its power, until keepalives tell.
    with psycopg.connect(address) as gone:
        gone.execute("SELECT 1 FROM jobs_job WHERE id = %s FOR UPDATE", [held])
        worker.kill()
        drill.fault()
        start_worker()
        drill.submit(2, delay=timedelta(seconds=1))
        eventually(lambda: drill.all_final([other, *drill.ids[2:]]), RECOVERY_SECONDS + 10)
        assert get(held).state == "running"
    drill.account(within=RECOVERY_SECONDS * 2 + 10)


@pytest.mark.drill_of(17, "the database can only be read")
def test_a_database_that_cannot_be_written(
    drill: Drill, read_only: Callable[[bool], None], start_worker: Start, start_beat: Start
) -> None:
    beat, worker = start_beat(), start_worker()
    drill.submit(1, params={"seconds": 3})
    eventually(lambda: drill.witness.count("begin").total() == 1, 20)
    read_only(True)
    before = Job.objects.count()
    with pytest.raises(DatabaseError, match="read-only"):
        submit("sample.echo")
    assert Job.objects.count() == before
    eventually(lambda: drill.witness.count("effect").total() == 1, 10)
    time.sleep(3)  # so that worker and beat meet it, each in all that they do
    assert get(drill.ids[0]).state == "running"
    read_only(False)
    drill.disturbed()
    drill.submit(20, params={"seconds": 0.05})
    drill.account(within=45, runs_at_most=1)
    assert [worker.returncode, beat.returncode] == [None, None]
