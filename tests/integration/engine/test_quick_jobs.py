"""Quick jobs share a take and a statement, and lose nothing by it."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.domain.events import Event
from jobs.domain.registry import registry
from jobs.models import Attempt, Job
from jobs.public import cancel, get, submit
from jobs.runtime.executor import run_ready
from jobs.runtime.pace import Pace
from jobs.services.finishing import CompletedRun, finish_completed
from jobs.services.rescue import reap, relieve
from jobs.services.taking import Taker, give_back, take
from tests.stack import eventually

pytestmark = pytest.mark.usefixtures("memory")


def me() -> Taker:
    return Taker(worker_id=uuid4(), pid=os.getpid())


def experienced(*job_types: str, size: int = 64, budget_seconds: float = 0.05) -> Pace:
    """Return the pace of a process that has run such jobs before, all of them quick."""
    pace = Pace(limit=size, budget_seconds=budget_seconds)
    for job_type in job_types:
        pace.note_run(job_type, 0.0001)
    while pace.size < size:
        pace.note_take(pace.size, pace.size * 0.0001)
    return pace


def run(pace: Pace, **options: Any) -> int:
    return run_ready(me(), registry.celery_queues(), pace=pace, **options)[0]


def updates(captured: CaptureQueriesContext, state: str) -> list[str]:
    return [each["sql"] for each in captured if f"'{state}'" in each["sql"].split("WHERE")[0]]


def test_many_are_taken_and_recorded_by_one_statement_each() -> None:
    ids = [submit("sample.echo", {"value": n}).job_id for n in range(50)]
    with CaptureQueriesContext(connection) as captured:
        assert run(experienced("sample.echo", budget_seconds=5)) == 50
    assert len(updates(captured, "running")) == 2  # the second finds nothing
    assert len(updates(captured, "completed")) == 1
    jobs = [get(job_id) for job_id in ids]
    assert [(job.state, job.result, job.progress) for job in jobs] == [
        ("completed", n, 100) for n in range(50)
    ]
    # Each with its own times.
    assert len({job.started_at for job in jobs}) == 50
    for job in jobs:
        assert job.started_at is not None
        assert job.finished_at is not None
        assert job.created_at <= job.started_at <= job.finished_at


@pytest.mark.parametrize("value", [None, "text", {"a": [1, None]}, 1.5, True, "'; DROP", [], "\\"])
def test_any_result_is_stored_as_it_is(value: Any) -> None:
    ids = [submit("sample.echo", {"value": value}).job_id for _ in range(2)]
    run(experienced("sample.echo"))
    assert [get(job_id).result for job_id in ids] == [value, value]


@pytest.mark.django_db(transaction=True)
def test_each_ends_in_its_own_way(events: list[Event]) -> None:
    kinds = ["none", "permanent", "retry", "none", "cancel", "error", "unstorable", "none"]
    ids = [submit("sample.trouble", {"kind": kind}).job_id for kind in kinds]
    run(experienced("sample.trouble"))
    assert [get(job_id).state for job_id in ids] == [
        "completed", "failed", "retrying", "completed",
        "cancelled", "retrying", "failed", "completed",
    ]  # fmt: skip
    assert Attempt.objects.count() == 5
    told = [str(event.name) for event in events if event.job_id == ids[-1]]
    assert told == ["job.created", "job.started", "job.completed"]


def test_nothing_waits_behind_a_type_that_was_never_seen(tmp_path: Path) -> None:
    witness = {"path": str(tmp_path / "w"), "label": "x"}
    first = submit("sample.echo").job_id
    submit("sample.work", witness)
    waiting = [submit("sample.echo").job_id for _ in range(3)]
    seen: list[str] = []

    def look() -> bool:
        seen.append(get(waiting[0]).state)
        return True

    pace = experienced("sample.echo")
    run_ready(me(), registry.celery_queues(), pace=pace, go_on=look, seconds=0)
    assert get(first).state == "completed"
    # Given back before it ran, and not one of them charged.
    assert [(get(each).state, get(each).attempt) for each in waiting] == [("queued", 0)] * 3


def test_what_does_not_fit_into_the_time_goes_back(tmp_path: Path) -> None:
    pace = experienced("sample.silent")
    for _ in range(9):
        submit("sample.silent", {"path": str(tmp_path / "w"), "seconds": 0.02})
    ran, more = run_ready(me(), registry.celery_queues(), pace=pace, seconds=0)
    assert more
    assert 1 <= ran <= 3
    left = Job.objects.filter(state="queued")
    assert left.count() == 9 - ran
    assert {job.attempt for job in left} == {0}
    assert pace.size <= 3


@pytest.mark.django_db(transaction=True)
def test_a_completion_is_not_held_by_a_handler_that_runs_on(
    tmp_path: Path, django_db_blocker: Any
) -> None:
    """Whoever looks sees it within moments, though its process is busy with the next one."""
    pace = experienced("sample.echo", "sample.silent")
    done = submit("sample.echo").job_id
    submit("sample.silent", {"path": str(tmp_path / "w"), "seconds": 1})
    seen: list[float] = []
    began = time.monotonic()

    def watch() -> None:
        with django_db_blocker.unblock():
            eventually(lambda: get(done).state == "completed", 5)
            seen.append(time.monotonic() - began)
            connection.close()

    watcher = Thread(target=watch)
    watcher.start()
    run(pace)
    watcher.join()
    assert seen[0] < 0.8


class TestRecording:
    def test_a_run_that_was_replaced_is_left_alone(self) -> None:
        for _ in range(3):
            submit("sample.echo")
        who = me()
        runs = take(who, ["normal"], limit=3)
        give_back(runs[:1])
        (again,) = take(who, ["normal"])
        at = datetime.now(UTC)
        assert finish_completed([CompletedRun(job, 1, at) for job in runs]) == 2
        assert get(again.pk).state == "running"
        assert finish_completed([CompletedRun(again, 1, at)]) == 1

    def test_another_workers_run_is_left_alone(self) -> None:
        submit("sample.echo")
        (job,) = take(me(), ["normal"])
        job.worker_id = uuid4()
        assert finish_completed([CompletedRun(job, 1, datetime.now(UTC))]) == 0
        assert finish_completed([]) == 0


class TestGivingBack:
    def test_one_statement_for_all(self) -> None:
        for _ in range(30):
            submit("sample.echo")
        jobs = take(me(), ["normal"], limit=30)
        with CaptureQueriesContext(connection) as captured:
            assert give_back(jobs) == 30
        assert len(updates(captured, "queued")) == 1
        assert {(job.state, job.attempt) for job in Job.objects.all()} == {("queued", 0)}

    def test_one_that_is_to_be_cancelled_is(self) -> None:
        ids = [submit("sample.echo").job_id for _ in range(3)]
        jobs = take(me(), ["normal"], limit=3)
        cancel(ids[1])
        assert give_back(jobs) == 2
        assert [get(each).state for each in ids] == ["queued", "cancelled", "queued"]

    def test_what_waits_behind_a_run_that_goes_on_is_relieved(self) -> None:
        for _ in range(5):
            submit("sample.echo")
        who = me()
        earlier = take(who, ["normal"], limit=1)
        jobs = take(who, ["normal"], limit=4)
        assert relieve(jobs[0]) == 3
        # Neither itself nor what another take of the same process holds.
        assert [get(job.pk).state for job in (*earlier, *jobs)] == [
            "running", "running", "queued", "queued", "queued",
        ]  # fmt: skip


def test_a_lost_worker_leaves_none_of_its_take() -> None:
    for _ in range(20):
        submit("sample.echo")
    taken = take(me(), ["normal"], limit=20)
    Job.objects.update(started_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert reap() == 20
    assert {(job.state, job.alone) for job in Job.objects.all()} == {("queued", True)}
    assert len(taken) == 20
