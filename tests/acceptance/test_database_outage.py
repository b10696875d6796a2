"""The database restarts under a running worker and beat: both go on with it."""

from collections.abc import Callable

import pytest
from django.db import connection
from django_celery_results.models import TaskResult

from jobs.public import submit
from tests.acceptance.conftest import Final
from tests.conftest import LiveProcess
from tests.sample import tasks
from tests.stack import Process, Stack, eventually
from tests.stack.run import celery


@pytest.fixture
def restart_database(stack: Stack) -> Callable[[], None]:
    """Restart PostgreSQL, so that every connection to it is broken."""
    cluster = stack.cluster
    if cluster is None:
        pytest.skip("the database is no server of this run's own")

    def restart() -> None:
        cluster.halt()
        cluster.run()
        connection.close()

    return restart


@pytest.mark.usefixtures("transactional_db")
def test_jobs_retries_and_plain_tasks_go_on_after_it(
    restart_database: Callable[[], None], live_process: LiveProcess, beat: Process, final: Final
) -> None:
    # One slot: a connection that stays broken has nobody to stand in for it.
    worker = live_process(celery("worker", "--concurrency", "1", "-n", "single@%h"), name="single")
    final(submit("sample.echo").job_id, 30)
    restart_database()
    assert final(submit("sample.echo").job_id, 40).state == "completed"
    restart_database()
    doubled = tasks.plain.delay(21).id
    eventually(lambda: TaskResult.objects.filter(task_id=doubled, result="42").exists(), 40)
    restart_database()
    retried = final(submit("sample.trouble", {"kind": "retry"}).job_id, 40)
    assert (retried.state, retried.attempt) == ("failed", 3)
    assert [process.returncode for process in (worker, beat)] == [None, None]
