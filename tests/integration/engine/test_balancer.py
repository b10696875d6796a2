"""Which worker a bell goes to, from the rows of the workers and of what runs."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from jobs.backends.balancer import Balancer
from jobs.domain.balancing import Candidate
from jobs.models import Job, Worker, WorkerProfile
from jobs.public import submit
from jobs.selectors.clock import database_now
from jobs.selectors.workers import candidates
from jobs.tasks import _rung_for, doorbell

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., Worker]


@pytest.fixture
def make() -> Make:
    def worker(name: str, **fields: Any) -> Worker:
        now = database_now()
        row = {
            "host": "h", "pid": 1, "pool": "prefork", "queues": ["normal"], "concurrency": 2,
            "started_at": now, "seen_at": now, "expires_at": now + timedelta(seconds=30),
        }  # fmt: skip
        return Worker.objects.create(name=name, **{**row, **fields})

    return worker


def run_in(worker: Worker, *pids: int) -> None:
    for pid in pids:
        job_id = submit("sample.echo").job_id
        Job.objects.filter(pk=job_id).update(state="running", worker=worker, pid=pid)


class TestCandidates:
    def test_a_process_counts_once_however_many_jobs_it_has_taken(self, make: Make) -> None:
        run_in(make("a@h"), 7, 7, 7)
        run_in(make("b@h", pool="thread", concurrency=4), 8, 8, 8)
        normal = frozenset({"normal"})
        assert candidates() == [Candidate("a@h", normal, 2, 1), Candidate("b@h", normal, 4, 3)]

    def test_only_those_that_are_alive_and_well(self, make: Make) -> None:
        now = database_now()
        make("dead@h", expires_at=now - timedelta(seconds=1))
        make("stopped@h", stopped_at=now)
        make("deaf@h", ailment="hears nothing")
        WorkerProfile.objects.create(name="off", enabled=False)
        WorkerProfile.objects.create(name="leaving", draining=True)
        WorkerProfile.objects.create(name="on")
        make("off@h", profile="off")
        make("leaving@h", profile="leaving")
        make("well@h", profile="on")
        assert [each.name for each in candidates()] == ["well@h"]

    def test_of_one_name_the_newest(self, make: Make) -> None:
        run_in(make("a@h", started_at=database_now() - timedelta(seconds=5)), 7, 8)
        make("a@h", concurrency=3)
        assert candidates() == [Candidate("a@h", frozenset({"normal"}), 3, 0)]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    with patch("jobs.backends.balancer.time", Clock()) as clock:
        yield clock


def statements(balancer: Balancer) -> int:
    with CaptureQueriesContext(connection) as asked:
        balancer.look()
    return len(asked)


@pytest.mark.usefixtures("clock")
class TestBalancer:
    def test_it_reads_by_one_statement_and_then_not_for_a_while(
        self, make: Make, clock: Clock
    ) -> None:
        make("a@h")
        balancer = Balancer("round_robin")
        assert statements(balancer) == 1
        clock.now += 0.2
        assert statements(balancer) == 0
        assert balancer.choose("normal") == "a@h"
        assert statements(balancer) == 1  # what it has rung for shows by now
        clock.now += 0.01
        assert statements(balancer) == 0

    def test_it_does_not_go_by_what_it_read_long_ago(self, make: Make, clock: Clock) -> None:
        make("a@h")
        balancer = Balancer("round_robin")
        balancer.look()
        clock.now += 2
        assert balancer.choose("normal") is None

    def test_its_own_bells_count_until_it_reads_again(self, make: Make, clock: Clock) -> None:
        make("a@h", concurrency=2)
        make("b@h", concurrency=1)
        balancer = Balancer("least_loaded")
        balancer.look()
        assert sorted(str(balancer.choose("normal")) for _ in range(3)) == ["a@h", "a@h", "b@h"]
        assert balancer.choose("normal") is None
        clock.now += 0.1
        balancer.look()
        assert balancer.choose("normal") is not None

    def test_with_the_database_away_it_chooses_nobody(self, make: Make) -> None:
        make("a@h")
        balancer = Balancer("round_robin")
        with patch("jobs.backends.balancer.candidates", side_effect=DatabaseError):
            balancer.look()
        assert balancer.choose("normal") is None

    def test_inside_a_transaction_it_asks_nothing(self, make: Make) -> None:
        make("a@h")
        balancer = Balancer("round_robin")
        with transaction.atomic(), CaptureQueriesContext(connection) as asked:
            balancer.look()
        assert len(asked) == 0
        assert balancer.choose("normal") is None


def test_a_direct_bell_says_which_queue_it_is_of() -> None:
    came_by = {"routing_key": "a@h.direct"}
    for headers, rung in (({"job_queue": "low"}, "low"), ({}, "a@h.direct")):
        doorbell.push_request(delivery_info=came_by, **headers)
        try:
            assert _rung_for(doorbell) == rung
        finally:
            doorbell.pop_request()
