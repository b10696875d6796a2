"""However many finished jobs there are, nothing of the engine's own reads them all."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.domain.priority import Priority
from jobs.models import Job
from jobs.public import NewJob, submit, submit_many
from jobs.public import list as list_jobs
from jobs.services import expiry, rescue, retention, timekeeping
from jobs.services.finishing import CompletedRun, finish_completed
from jobs.services.limits import take_within_limits
from jobs.services.ordering import take_in_order
from jobs.services.taking import Taker, Wanted, take

QUEUES = ["critical", "high", "normal", "low"]
ME = Taker(worker_id=uuid4(), pid=1)
FINISHED = 20_000


@pytest.fixture
def history(configure: Any, db: None) -> None:
    """Many finished jobs of several types, a few that wait, and statistics that know of them."""
    configure(backend="memory")
    kinds = ("sample.echo", "sample.nested", "sample.work", "sample.default")
    params: dict[str, dict[str, Any]] = {
        "sample.nested": {"period": {"start": 1}},
        "sample.work": {"path": "/dev/null"},
    }
    submit_many(
        NewJob(kind, params.get(kind)) for _ in range(FINISHED // len(kinds)) for kind in kinds
    )
    ended = timezone.now()
    Job.objects.update(
        state="completed", run=1, started_at=ended, finished_at=ended, run_at=F("created_at")
    )
    for priority in QUEUES:
        for _ in range(20):
            submit("sample.echo", priority=priority)
        submit("sample.echo", priority=priority, delay=timedelta(hours=1))
        submit("sample.echo", priority=priority, expires_in=timedelta(hours=1))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def take_and_finish() -> None:
    jobs = take(ME, QUEUES, limit=10)
    assert len(jobs) == 10
    now = timezone.now()
    assert finish_completed([CompletedRun(job, None, now) for job in jobs]) == 10


STATEMENTS: dict[str, Callable[[], object]] = {
    "a take, and its outcomes": take_and_finish,
    "a take of one priority": lambda: take(
        ME, QUEUES, limit=10, wanted=Wanted(priority=Priority.LOW, but_types=("a.b",))
    ),
    "a take with ageing": lambda: [take_in_order(ME, QUEUES) for _ in range(2)],
    "a take under limits": lambda: take_within_limits(ME, QUEUES, crowded=True),
    "what is due next": timekeeping.next_due,
    "moving what is due": timekeeping.promote_due,
    "ringing again": timekeeping.ring_again,
    "expiry": expiry.expire_overdue,
    "the reaper": rescue.reap,
    "a worker's runs": lambda: [*rescue.running_of(uuid4())],
    "clean-up": lambda: retention.purge(batch_size=100),
    "the newest": lambda: list_jobs(limit=50),
    "the newest of a type": lambda: list_jobs(limit=50, job_type="sample.work"),
    "the ready ones": lambda: list_jobs(limit=50, state="queued", queue="low"),
    "the dead letters": lambda: list_jobs(limit=50, state="failed"),
}


@pytest.mark.usefixtures("history")
def test_they_go_along_an_index(configure: Any) -> None:
    wrong = {}
    for name, call in STATEMENTS.items():
        configure(ageing_seconds=60 if "ageing" in name else 0)
        with CaptureQueriesContext(connection) as captured:
            call()
        told = [each["sql"] for each in captured if "jobs_job" in each["sql"]]
        assert told, name
        plans = {statement: explained(statement) for statement in told}
        wrong.update({f"{name}: {one}": plan for one, plan in plans.items() if reads_all(plan)})
    assert not wrong


def explained(statement: str) -> str:
    explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    with connection.cursor() as cursor:
        cursor.execute(explain + statement.replace("%", "%%"), ())
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def reads_all(plan: str) -> bool:
    """Return whether the plan reads every row of the jobs."""
    if connection.vendor == "postgresql":
        return re.search(r"Seq Scan on jobs_job\b", plan) is not None
    return re.search(r"^(SCAN|SEARCH) (jobs_job|job)\b(?! USING)", plan, re.MULTILINE) is not None


@pytest.mark.usefixtures("history")
def test_the_check_knows_a_plan_that_reads_all() -> None:
    assert reads_all(explained("SELECT * FROM jobs_job WHERE error LIKE 'x'"))


@pytest.mark.usefixtures("db")
def test_outcomes_are_found_by_their_ids_however_small_the_table(configure: Any) -> None:
    configure(backend="memory")
    submit_many(NewJob("sample.echo") for _ in range(3000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    jobs = take(ME, QUEUES, limit=100)
    now = timezone.now()
    with CaptureQueriesContext(connection) as captured:
        finish_completed([CompletedRun(job, None, now) for job in jobs])
    (told,) = [each["sql"] for each in captured if "UPDATE" in each["sql"]]
    assert not reads_all(explained(told))
