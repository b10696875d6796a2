"""A queue that is full refuses what is submitted for now, and accepts again once it is drained."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from celery import current_app
from celery.exceptions import Retry
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.backends.memory import drain
from jobs.domain.errors import ConfigurationError
from jobs.domain.events import Event
from jobs.models import Job
from jobs.public import NewJob, QueueFull, create_schedule, get, retry, submit, submit_many, trigger
from jobs.runtime.metrics import exposition
from jobs.selectors.capacity import capacity_of
from jobs.selectors.queues import check_queue_names
from jobs.services import gates
from jobs.services.scheduling import fire_due
from jobsite.env import BASE_DIR
from tests.stack import Stack, eventually

pytestmark = pytest.mark.usefixtures("memory")
LOOK = "SELECT 1 FROM \"jobs_job\" WHERE state = 'queued'"


def echoes(count: int, **options: Any) -> Iterator[NewJob]:
    return (NewJob("sample.echo", {"value": n}, options) for n in range(count))  # type: ignore[arg-type]


def looks(captured: CaptureQueriesContext) -> int:
    return sum(LOOK in each["sql"] for each in captured)


def refused_so_far() -> float:
    for line in exposition().decode().splitlines():
        if line.startswith('jobsite_jobs_rejected_total{reason="queue_full"}'):
            return float(line.split()[-1])
    return 0


def is_accepted() -> bool:
    with suppress(QueueFull):
        submit("sample.echo")
        return True
    return False


class TestOne:
    def test_a_full_queue_refuses_and_stores_nothing(
        self, configure: Callable[..., None], events: list[Event]
    ) -> None:
        configure(queue_size=3)
        before = refused_so_far()
        for _ in range(3):
            submit("sample.echo")
        seen = len(events)
        with pytest.raises(QueueFull, match="queue normal is full: it holds 3 ready jobs") as full:
            submit("sample.echo")
        assert (full.value.queue, full.value.capacity) == ("normal", 3)
        assert full.value.retry_after > timedelta(0)
        assert "QUEUE_SIZE" in str(full.value)
        assert Job.objects.count() == 3
        assert refused_so_far() - before == 1
        assert [event.name for event in events[seen:]] == ["job.rejected"]

    def test_it_accepts_again_after_a_drain(self, configure: Callable[..., None]) -> None:
        configure(queue_size=2)
        submit_many(echoes(2))
        assert not is_accepted()
        assert drain() == 2
        eventually(is_accepted, what="a queue that accepts again")
        assert drain() == 1

    def test_a_refusal_in_a_transaction_is_counted_though_it_is_rolled_back(
        self, configure: Callable[..., None]
    ) -> None:
        configure(queue_size=1)
        submit("sample.echo")
        before = refused_so_far()
        with suppress(QueueFull), transaction.atomic():
            submit("sample.echo")
        assert refused_so_far() - before == 1

    def test_each_queue_has_its_own_capacity(self, configure: Callable[..., None]) -> None:
        configure(queue_size=2, queue_sizes={"low": 1, "high": 0, "sample.normal": 3})
        for priority, fit in {"critical": 2, "high": 9, "normal": 2, "low": 1}.items():
            result = submit_many(echoes(9, priority=priority))
            assert len(result.errors) == 9 - fit, priority
        own = submit_many(NewJob("sample.own_queue", {"path": "x"}) for _ in range(9))
        assert len(own.errors) == 6

    def test_a_key_finds_its_job_when_the_queue_is_full(
        self, configure: Callable[..., None]
    ) -> None:
        configure(queue_size=1)
        first = submit("sample.echo", {"value": 1}, idempotency_key="a")
        before = refused_so_far()
        again = submit("sample.echo", {"value": 1}, idempotency_key="a")
        assert (again.job_id, again.duplicate) == (first.job_id, True)
        assert refused_so_far() == before
        with pytest.raises(QueueFull):
            submit("sample.echo", {"value": 1}, idempotency_key="b")

    def test_what_is_not_submitted_for_now_is_never_refused(
        self, configure: Callable[..., None]
    ) -> None:
        configure(queue_size=1)
        failed = submit("sample.trouble", {"kind": "permanent"}).job_id
        drain()
        later = submit("sample.echo", delay=timedelta(hours=1))
        submit("sample.echo")
        with pytest.raises(QueueFull):
            submit("sample.echo")
        assert submit("sample.echo", delay=timedelta(hours=1)).state == "scheduled"
        assert retry(failed).state == "queued"
        schedule = create_schedule("each minute", "sample.echo", cron="* * * * *")
        assert trigger(schedule.name).state == "queued"
        assert fire_due(now=timezone.now() + timedelta(minutes=2)) >= 1
        assert Job.objects.filter(state="queued").count() >= 4
        assert drain(now=timezone.now() + timedelta(hours=2)) >= 5
        assert get(later.job_id).state == "completed"


class TestMany:
    def test_what_fits_is_accepted_and_the_others_named_by_their_place(
        self, configure: Callable[..., None]
    ) -> None:
        configure(queue_size=3)
        before = refused_so_far()
        result = submit_many(
            [
                *echoes(2),
                *echoes(1, delay=timedelta(hours=1)),
                *echoes(3),
                *echoes(2, priority="low"),
            ]
        )
        assert {place: type(error) for place, error in result.errors.items()} == {
            4: QueueFull, 5: QueueFull,
        }  # fmt: skip
        assert [each is not None for each in result.job_ids] == [
            *[True] * 4,
            False,
            False,
            True,
            True,
        ]
        assert refused_so_far() - before == 2
        assert Job.objects.count() == 6

    def test_keys_that_are_known_take_no_room(self, configure: Callable[..., None]) -> None:
        configure(queue_size=3)
        earlier = submit("sample.echo", idempotency_key="a").job_id

        def keyed(key: str) -> NewJob:
            return NewJob("sample.echo", None, {"idempotency_key": key})

        result = submit_many(keyed(key) for key in ["a", "b", "b", "c", "d", "a", "c", "d"])
        assert list(result.errors) == [4, 7]
        ids = result.job_ids
        assert ids[0] == ids[5] == earlier
        assert ids[1] == ids[2]
        assert ids[3] == ids[6]
        assert Job.objects.count() == 3

    def test_a_refused_one_is_among_wrong_ones(self, configure: Callable[..., None]) -> None:
        configure(queue_size=1)
        result = submit_many(
            [NewJob("sample.gone"), *echoes(1), NewJob("sample.echo", {"x": 1}), *echoes(1)]
        )
        assert [type(result.errors[place]).__name__ for place in sorted(result.errors)] == [
            "UnknownJobType", "InvalidParameters", "QueueFull",
        ]  # fmt: skip

    def test_a_bound_holds_over_many_batches(self, configure: Callable[..., None]) -> None:
        configure(queue_size=950)
        result = submit_many(echoes(2000))
        assert list(result.errors) == [*range(950, 2000)]
        assert Job.objects.count() == 950


class TestCost:
    @pytest.mark.parametrize("changes", [{}, {"queue_size": 0, "queue_sizes": {"low": 0}}])
    def test_without_a_capacity_there_is_no_further_statement(
        self,
        configure: Callable[..., None],
        changes: dict[str, Any],
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        configure(**changes)
        submit("sample.echo")
        with django_assert_num_queries(1):
            submit("sample.echo")

    def test_with_one_a_thousand_submissions_look_a_few_times(
        self, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # A clock that stands still: how often it looks must not depend on the machine.
        monkeypatch.setattr("jobs.services.gates.time.monotonic", lambda: 1000.0)
        configure(queue_size=10_000)
        with CaptureQueriesContext(connection) as captured:
            for _ in range(1000):
                submit("sample.echo")
        # Of 10,000 the first share is 1,250.
        assert looks(captured) == 1
        assert len(captured) == 1001

    def test_a_nearly_full_queue_is_looked_at_once_in_a_thousandth_of_its_capacity(
        self, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("jobs.services.gates.time.monotonic", lambda: 1000.0)
        configure(queue_size=5000)
        assert not submit_many(echoes(4980)).errors
        gates.forget()
        with CaptureQueriesContext(connection) as captured:
            for _ in range(20):
                submit("sample.echo")
        assert 1 < looks(captured) <= 4  # of 5 jobs each
        assert not is_accepted()

    def test_a_full_queue_is_refused_from_memory(
        self, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 1000.0
        monkeypatch.setattr("jobs.services.gates.time.monotonic", lambda: now)
        configure(queue_size=1)
        submit("sample.echo")
        assert not is_accepted()
        with CaptureQueriesContext(connection) as captured:
            for _ in range(1000):
                assert not is_accepted()
        assert len(captured) == 0
        drain()
        now += 0.021
        assert is_accepted()

    def test_the_look_goes_along_the_index_of_ready_jobs(
        self, configure: Callable[..., None]
    ) -> None:
        submit_many(echoes(3000))
        Job.objects.update(state="completed", finished_at=timezone.now())
        submit_many(echoes(500))
        configure(queue_size=1000)
        with connection.cursor() as cursor, CaptureQueriesContext(connection) as captured:
            cursor.execute("ANALYZE")
            submit("sample.echo")
            (look,) = [each["sql"] for each in captured if LOOK in each["sql"]]
            # PostgreSQL's planner would rather read the table as a whole.
            explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
            cursor.execute(f"{explain} {look}")
            plan = str(cursor.fetchall())
        assert "job_ready" in plan, plan
        assert "Seq Scan" not in plan


class TestAtOnce:
    @pytest.mark.django_db(transaction=True)
    def test_threads_exceed_it_by_no_more_than_is_stated(
        self, configure: Callable[..., None]
    ) -> None:
        capacity, threads = 200, 4
        configure(queue_size=capacity)
        at_once = Barrier(threads)

        def flood(_: int) -> int:
            at_once.wait(30)
            try:
                return sum(is_accepted() for _ in range(capacity // 2))
            finally:
                connection.close()

        with ThreadPoolExecutor(threads) as pool:
            accepted = sum(pool.map(flood, range(threads)))
        assert accepted == Job.objects.count()
        assert capacity <= accepted <= capacity + (threads - 1) * capacity // 8

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("at_once", [1, 150])
    def test_processes_exceed_it_by_no_more_than_is_stated(
        self, stack: Stack, at_once: int
    ) -> None:
        capacity, count = 800, 3
        environment = {
            **stack.env, "JOBSITE_BACKEND": "memory", "JOBSITE_QUEUE_SIZE": str(capacity)
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.integration.engine.flooding", str(at_once)]
        processes = [_started(command, environment) for _ in range(count)]
        try:
            for each in processes:
                assert each.stdout is not None
                assert each.stdout.readline() == "ready\n"
            for each in processes:
                assert each.stdin is not None
                each.stdin.write("go\n")
                each.stdin.flush()
            accepted = [int(each.communicate(timeout=60)[0]) for each in processes]
        finally:
            for each in processes:
                each.kill()
                each.communicate()
        assert sum(accepted) == Job.objects.count()
        # What is admitted by one look is an eighth of the capacity at most, or a batch of 100.
        assert capacity <= sum(accepted) <= capacity + (count - 1) * capacity // 8, accepted


def _started(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, env=environment, cwd=BASE_DIR, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def test_a_capacity_for_a_queue_that_is_not_there_is_told(configure: Callable[..., None]) -> None:
    configure(queue_sizes={"urgent": 5})
    with pytest.raises(ConfigurationError, match=r"QUEUE_SIZES.* names the queue 'urgent'.*low"):
        check_queue_names()
    configure(queue_sizes={}, queue_concurrency={"urgent": 5})
    with pytest.raises(ConfigurationError, match=r"QUEUE_CONCURRENCY.* names the queue 'urgent'"):
        check_queue_names()
    configure(queue_sizes={"low": 5, "sample.high": 7}, queue_concurrency={"low": 1})
    check_queue_names()


def test_a_message_for_a_full_queue_is_tried_again(
    configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(queue_size=1)
    submit("sample.echo")
    task = current_app.tasks["sample.echo"]
    asked: dict[str, Any] = {}

    def try_again(**options: Any) -> Retry:
        asked.update(options)
        return Retry()

    monkeypatch.setattr(task, "retry", try_again)
    task.push_request(id="one", called_directly=False, retries=0)
    try:
        with pytest.raises(Retry):
            task.run(value=1)
        assert isinstance(asked["exc"], QueueFull)
        assert task.max_retries is None
        drain()
        gates.forget()  # it was found full within the last 20 ms
        assert task.run(value=1)
    finally:
        task.pop_request()
    assert Job.objects.count() == 2


def test_auto_is_the_plan_s(configure: Callable[..., None]) -> None:
    configure(queue_size="auto", queue_sizes={"low": 1})
    assert capacity_of("normal") == 10_000  # a new site's
    assert capacity_of("low") == 1
    assert len(submit_many(echoes(3, priority="low")).errors) == 2


def test_with_a_capacity_they_are_read_and_stored_in_smaller_batches(
    configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(queue_size=400)
    stored: list[int] = []

    def lazily() -> Iterator[NewJob]:
        for n in range(300):
            stored.append(Job.objects.count())
            yield NewJob("sample.echo", {"value": n})

    assert not submit_many(lazily()).errors
    assert stored == [*[0] * 100, *[100] * 100, *[200] * 100]
    assert submit_many([]).submissions == []


FORK = """
import os, sys, threading
import django
django.setup()
from jobs.services import gates

def hold(held):
    with gates._lock:
        held.set()
        threading.Event().wait(60)

ready = 0
assert gates.gate_of("low", lambda _: ready).admit(1, 100) == 1
held = threading.Event()
threading.Thread(target=hold, args=(held,), daemon=True).start()
held.wait()
child = os.fork()
if not child:
    ready = 100
    os._exit(gates.gate_of("low", lambda _: ready).admit(1, 100))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_process_looks_for_itself_whatever_its_parent_was_at() -> None:
    forked = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK],
        cwd=BASE_DIR, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert (forked.returncode, forked.stderr) == (0, "")
