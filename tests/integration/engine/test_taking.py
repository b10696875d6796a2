"""The guarded take and the fence, with real threads on a real database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from jobs.domain.errors import JobCancelled, LostJob
from jobs.domain.outcomes import Completed, Failed, Retrying
from jobs.domain.states import FailureReason
from jobs.models import Attempt, Job
from jobs.public import cancel, get, submit
from jobs.services.finishing import finish
from jobs.services.reporting import check_run, report_progress
from jobs.services.taking import Taker, take

QUEUES = ["critical", "high", "normal", "low"]
THREADS = 8


def taker() -> Taker:
    return Taker(worker_id=uuid4(), pid=1)


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_that_take_one_job_at_once_one_wins(configure: Any) -> None:
    configure(backend="memory")
    job_id = submit("sample.echo").job_id
    at_once = Barrier(100, timeout=60)

    def try_to_take(_: int) -> list[Job]:
        who = taker()
        try:
            connection.ensure_connection()
            at_once.wait()
            return take(who, QUEUES)
        except BaseException:
            at_once.abort()
            raise
        finally:
            connection.close()

    with ThreadPoolExecutor(at_once.parties) as pool:
        taken = list(pool.map(try_to_take, range(at_once.parties)))
    assert len(taken) == 100
    assert [job.pk for jobs in taken for job in jobs] == [job_id]
    assert (get(job_id).run, get(job_id).attempt) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_many_jobs_and_takers_never_share_one(configure: Any) -> None:
    configure(backend="memory")
    submitted = {submit("sample.echo").job_id for _ in range(120)}

    def take_all(_: int) -> list[Job]:
        mine, who = [], taker()
        try:
            while got := take(who, QUEUES, limit=3):
                mine += got
        finally:
            connection.close()
        return mine

    with ThreadPoolExecutor(THREADS) as pool:
        taken = [job.pk for jobs in pool.map(take_all, range(THREADS)) for job in jobs]
    assert len(taken) == len(set(taken))
    assert set(taken) == submitted


@pytest.mark.usefixtures("memory")
class TestTaking:
    def test_only_from_the_queues_listened_to(self) -> None:
        submit("sample.own_queue", {"path": "/dev/null"})
        urgent = submit("sample.echo", priority="high").job_id
        submit("sample.echo", priority="low")
        assert [job.pk for job in take(taker(), ["high", "normal"], limit=10)] == [urgent]
        assert take(taker(), []) == []

    def test_best_first_within_a_take(self) -> None:
        for priority in ("low", "high", "normal", "critical", "high"):
            submit("sample.echo", priority=priority)
        taken = take(taker(), QUEUES, limit=4)
        assert [job.priority_label for job in taken] == ["critical", "high", "high", "normal"]

    def test_a_late_outcome_is_refused(self) -> None:
        job_id = submit("sample.echo").job_id
        (stale,) = take(taker(), QUEUES)
        Job.objects.filter(pk=job_id).update(state="queued")
        (current,) = take(taker(), QUEUES)
        assert finish(stale, Completed("stale")) is False
        assert finish(stale, Failed(FailureReason.PERMANENT_ERROR, ValueError("x"))) is False
        assert finish(stale, Retrying(timedelta(0), ValueError("x"))) is False
        assert get(job_id).state == "running"
        assert finish(current, Completed("current")) is True
        assert get(job_id).result == "current"
        assert not Attempt.objects.exists()

    def test_a_run_that_was_replaced_learns_of_it(self) -> None:
        job_id = submit("sample.echo").job_id
        (stale,) = take(taker(), QUEUES)
        Job.objects.filter(pk=job_id).update(state="queued")
        take(taker(), QUEUES)
        with pytest.raises(LostJob, match="replaced"):
            report_progress(stale, 50, "")
        with pytest.raises(LostJob, match="replaced"):
            check_run(stale)

    def test_a_run_that_counts_goes_on_until_someone_cancels_it(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        submit("sample.echo")
        (job,) = take(taker(), QUEUES)
        with django_assert_num_queries(1):
            check_run(job)
        cancel(job.pk)
        with pytest.raises(JobCancelled, match="on request"):
            check_run(job)

    def test_the_same_outcome_is_recorded_once(self) -> None:
        submit("sample.echo")
        (job,) = take(taker(), QUEUES)
        assert finish(job, Completed(1)) is True
        assert finish(job, Completed(2)) is False
        assert get(job.pk).result == 1
