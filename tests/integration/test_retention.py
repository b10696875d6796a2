"""Finished jobs go when they have been kept long enough, and nothing else goes with them."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from jobs import public
from jobs.contrib.digests.models import Digest
from jobs.domain.states import State
from jobs.models import Attempt, Job, LogLine, Worker
from notifications.models import Delivery

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY, MONTH, SECOND = timedelta(days=1), timedelta(days=30), timedelta(seconds=1)
FINAL = {State.COMPLETED, State.CANCELLED, State.FAILED}


def build_job(state: State, age: timedelta, job_type: str = "sample.echo", **fields: Any) -> Job:
    then = NOW - age
    finished = {"started_at": then - SECOND, "finished_at": then} if state in FINAL else {}
    return Job(
        job_type=job_type,
        queue="normal",
        state=state,
        max_attempts=4,
        timeout=timedelta(minutes=1),
        created_at=then - SECOND,
        run_at=then - SECOND,
        **finished,
        **fields,
    )


def make_job(state: State, age: timedelta, job_type: str = "sample.echo", **fields: Any) -> Job:
    job = build_job(state, age, job_type, **fields)
    job.save(force_insert=True)
    return job


def make_worker(*, stopped: timedelta | None) -> Worker:
    then = NOW - timedelta(days=400)
    stopped_at = None if stopped is None else NOW - stopped
    return Worker.objects.create(
        name="worker@host",
        host="host",
        pid=1,
        version="1",
        started_at=then,
        seen_at=then,
        expires_at=then,
        stopped_at=stopped_at,
    )


def left() -> set[Any]:
    return set(Job.objects.values_list("pk", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "kept"),
    [(State.COMPLETED, DAY), (State.CANCELLED, DAY), (State.FAILED, MONTH)],
)
def test_a_finished_job_goes_when_its_time_has_come(state: State, kept: timedelta) -> None:
    make_job(state, kept + SECOND)
    young = make_job(state, kept - SECOND)
    assert public.purge(now=NOW)[state] == 1
    assert left() == {young.pk}


@pytest.mark.django_db
@pytest.mark.parametrize("state", sorted(set(State) - FINAL))
def test_a_live_job_never_goes(state: State) -> None:
    job = make_job(state, timedelta(days=4000))
    assert not any(public.purge(now=NOW).values())
    assert left() == {job.pk}


@pytest.mark.django_db
def test_a_type_may_be_kept_for_a_time_of_its_own(settings: Settings) -> None:
    kept = {
        "sample.work": {"completed": 60, "failed": 10 * 86_400},
        "sample.nested": {"completed": 90 * 86_400},
    }
    settings.JOBS = {**settings.JOBS, "RETENTION_BY_TYPE": kept}
    make_job(State.COMPLETED, timedelta(minutes=2), "sample.work")
    make_job(State.FAILED, timedelta(days=11), "sample.work")
    make_job(State.CANCELLED, DAY + SECOND, "sample.work")
    make_job(State.COMPLETED, DAY + SECOND, "sample.echo")
    staying = {
        make_job(State.COMPLETED, timedelta(seconds=59), "sample.work").pk,
        make_job(State.COMPLETED, timedelta(days=80), "sample.nested").pk,
        make_job(State.FAILED, timedelta(days=11), "sample.nested").pk,
        make_job(State.COMPLETED, timedelta(minutes=2), "sample.echo").pk,
    }
    assert public.purge(now=NOW) == {
        "cancelled": 1,
        "completed": 1,
        "completed:sample.work": 1,
        "completed:sample.nested": 0,
        "failed": 0,
        "failed:sample.work": 1,
        "workers": 0,
    }
    assert left() == staying


@pytest.mark.django_db
def test_a_dry_run_counts_what_a_real_run_removes_and_removes_nothing(
    settings: Settings,
) -> None:
    settings.JOBS = {**settings.JOBS, "RETENTION_BY_TYPE": {"sample.work": {"failed": 60}}}
    for age in (timedelta(hours=1), DAY, DAY + SECOND, MONTH, MONTH + SECOND):
        for state in State:
            for job_type in ("sample.echo", "sample.work"):
                make_job(state, age, job_type)
    make_worker(stopped=timedelta(days=31))
    before = left()
    counted = public.purge(now=NOW, dry_run=True)
    assert left() == before
    assert Worker.objects.count() == 1
    removed = public.purge(now=NOW, batch_size=3)
    assert removed == counted
    assert counted["failed:sample.work"] == 5
    assert len(before) - len(left()) == sum(counted.values()) - counted["workers"]


@pytest.mark.django_db
def test_it_goes_batch_by_batch_and_says_how_far_it_is() -> None:
    Job.objects.bulk_create(build_job(State.COMPLETED, 2 * DAY) for _ in range(5))
    make_job(State.FAILED, 2 * MONTH)
    steps: list[int] = []
    public.purge(now=NOW, batch_size=2, on_batch=steps.append)
    assert steps == [2, 4, 5, 6]


@pytest.mark.django_db
def test_the_oldest_of_a_type_go_first() -> None:
    jobs = [make_job(State.COMPLETED, (2 + days) * DAY) for days in (1, 3, 2)]

    def stop(_removed: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        public.purge(now=NOW, batch_size=1, on_batch=stop)
    assert left() == {jobs[0].pk, jobs[2].pk}


@pytest.mark.django_db
def test_what_belongs_to_a_job_goes_with_it_and_what_only_names_it_stays() -> None:
    job = make_job(State.COMPLETED, 2 * DAY)
    child = make_job(State.QUEUED, DAY, parent=job)
    LogLine.objects.create(job=job, run=1, at=NOW, message="hello")
    ended = {"started_at": NOW, "finished_at": NOW}
    Attempt.objects.create(job=job, run=1, number=1, outcome="error", **ended)
    digest = Digest.objects.create(
        job=job, repository="a/b", source="git", start=NOW - DAY, end=NOW, title="t", data={}
    )
    delivery = Delivery.objects.create(job=job, channel="email", recipient="a@b.c", template="t")
    public.purge(now=NOW)
    assert left() == {child.pk}
    assert not LogLine.objects.exists()
    assert not Attempt.objects.exists()
    for row in (child, digest, delivery):
        row.refresh_from_db()
    assert (child.parent_id, digest.job_id, delivery.job_id) == (None, None, None)


@pytest.mark.django_db
def test_a_job_retried_between_two_batches_stays() -> None:
    make_job(State.FAILED, 3 * MONTH)
    job = make_job(State.FAILED, 2 * MONTH)
    removed = public.purge(now=NOW, batch_size=1, on_batch=lambda _removed: _retry(job))
    assert removed["failed"] == 1
    assert Job.objects.get().state == State.QUEUED


def _retry(job: Job) -> None:
    if Job.objects.filter(pk=job.pk, state=State.FAILED).exists():
        public.retry(job.pk)


class RetryAt:
    """Retries the job from another connection, after so many statements of the purge."""

    def __init__(self, job: Job, statements: int) -> None:
        self.job = job
        self.left = statements
        self.refused: bool | None = None
        self.thread = threading.Thread(target=self._retry)

    def __call__(self, execute: Callable[..., Any], *args: Any) -> Any:
        result = execute(*args)
        self.left -= 1
        if not self.left:
            self.thread.start()
            # It ends within this time, or waits for the purge: either is a moment to look at.
            self.thread.join(0.3)
        return result

    def _retry(self) -> None:
        try:
            public.retry(self.job.pk)
            self.refused = False
        except (public.JobNotFound, public.InvalidTransition):
            self.refused = True
        finally:
            connections.close_all()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statements", range(4, 13))
def test_a_job_retried_at_any_moment_is_either_queued_or_was_gone(
    statements: int, settings: Settings
) -> None:
    settings.JOBS = {**settings.JOBS, "BACKEND": "memory"}
    job = make_job(State.FAILED, 2 * MONTH)
    retrying = RetryAt(job, statements)
    with connection.execute_wrapper(retrying):
        removed = public.purge(now=NOW)
    assert retrying.left <= 0, "the purge has fewer statements than this"
    retrying.thread.join()
    assert removed["failed"] == (1 if retrying.refused else 0)
    assert [each.state for each in Job.objects.all()] == ([] if retrying.refused else ["queued"])


def _statements_of_one_batch(jobs: int) -> int:
    made = Job.objects.bulk_create(build_job(State.COMPLETED, 2 * DAY) for _ in range(jobs))
    LogLine.objects.bulk_create(
        LogLine(job=job, run=1, at=NOW, message="line") for job in made for _ in range(3)
    )
    Attempt.objects.bulk_create(
        Attempt(job=job, run=1, number=1, outcome="error", started_at=NOW, finished_at=NOW)
        for job in made
    )
    Delivery.objects.bulk_create(
        Delivery(id=uuid4(), job=job, channel="email", recipient="a@b.c", template="t")
        for job in made
    )
    with CaptureQueriesContext(connection) as captured:
        assert public.purge(now=NOW, batch_size=jobs)["completed"] == jobs
    return len(captured)


@pytest.mark.django_db
def test_the_statements_of_a_batch_do_not_grow_with_what_hangs_on_its_jobs() -> None:
    _statements_of_one_batch(1)  # the first removal of a day has its row made
    ten, hundred, five_hundred = (_statements_of_one_batch(jobs) for jobs in (10, 100, 500))
    assert ten == hundred
    assert ten <= 25
    # Django deletes a hundred rows by a statement.
    assert five_hundred == hundred + 4
    assert not LogLine.objects.exists()


@pytest.mark.django_db
def test_a_batch_may_be_larger_than_the_parameters_of_a_statement() -> None:
    Job.objects.bulk_create(build_job(State.COMPLETED, 2 * DAY) for _ in range(2500))
    steps: list[int] = []
    assert public.purge(now=NOW, batch_size=10_000, on_batch=steps.append)["completed"] == 2500
    assert steps == [2500]


@pytest.mark.django_db
def test_a_worker_goes_after_every_job_that_it_ran() -> None:
    make_worker(stopped=timedelta(days=31))
    staying = {make_worker(stopped=timedelta(days=29)).pk, make_worker(stopped=None).pk}
    assert public.purge(now=NOW)["workers"] == 1
    assert set(Worker.objects.values_list("pk", flat=True)) == staying
