"""What a worker that scales sees of what waits for it, and the takes of one that is restricted."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from jobs.domain.states import State
from jobs.models import Job, Worker, WorkerProfile
from jobs.public import pause_queue, submit
from jobs.selectors import backlog as selector
from jobs.selectors.backlog import Backlog, backlog, ready_of_other_types
from jobs.selectors.profiles import job_types_of
from jobs.selectors.workers import other_slots, others_may_take
from jobs.services.taking import Taker, Wanted, take

QUEUES = ["critical", "high", "normal", "low"]
pytestmark = pytest.mark.usefixtures("memory")


def ran(job_type: str, seconds: float, *, ago: timedelta = timedelta(0)) -> None:
    """Store a job that completed after so long."""
    ended = timezone.now() - ago
    job_id = submit(job_type, {"path": "/dev/null"} if job_type == "sample.work" else {}).job_id
    began = ended - timedelta(seconds=seconds)
    Job.objects.filter(pk=job_id).update(state=State.COMPLETED, started_at=began, finished_at=ended)


def wait(job_type: str, count: int, **options: Any) -> None:
    for _ in range(count):
        submit(job_type, {"path": "/dev/null"} if job_type == "sample.work" else {}, **options)


def worker(name: str, *queues: str, slots: int = 2, left: bool = False, profile: str = "") -> UUID:
    now = timezone.now()
    row = Worker.objects.create(
        name=name, host="h", pid=1, version="5", queues=list(queues), concurrency=slots,
        started_at=now, seen_at=now, expires_at=now + timedelta(seconds=30),
        stopped_at=now if left else None, profile=profile,
    )  # fmt: skip
    return row.pk


class TestTheBacklog:
    def test_counts_ready_jobs_of_the_queues_and_weighs_their_run_times(self) -> None:
        for seconds in (1, 3):
            ran("sample.work", seconds)
        ran("sample.echo", 0.5)
        wait("sample.work", 3)
        wait("sample.echo", 1, priority="low")
        wait("sample.echo", 5, priority="critical")
        wait("sample.echo", 2, delay=timedelta(hours=1))
        seen = backlog(["normal", "low"])
        assert (seen.ready, seen.is_cut) == (4, False)
        assert seen.run_seconds == pytest.approx((3 * 2 + 0.5) / 4)

    def test_what_is_known_of_one_type_stands_for_another(self) -> None:
        ran("sample.work", 2)
        wait("sample.work", 1)
        wait("sample.echo", 1)
        assert backlog(QUEUES).run_seconds == pytest.approx(2)

    def test_of_what_ran_long_ago_nothing_is_known(self) -> None:
        ran("sample.echo", 2, ago=timedelta(hours=2))
        wait("sample.echo", 1)
        assert backlog(QUEUES) == Backlog(ready=1)

    def test_what_is_paused_or_of_other_types_does_not_count(self) -> None:
        wait("sample.echo", 2)
        wait("sample.work", 1)
        wait("sample.echo", 4, priority="low")
        pause_queue("low", actor="ada")
        assert backlog(QUEUES).ready == 3
        assert backlog(QUEUES, {"sample.work"}).ready == 1
        pause_queue("all", actor="ada")
        assert backlog(QUEUES) == Backlog()

    def test_a_long_one_is_counted_no_further_than_it_matters(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(selector, "MOST_COUNTED", 3)
        wait("sample.echo", 3)
        assert backlog(QUEUES) == Backlog(ready=3, is_cut=False)
        wait("sample.echo", 2)
        assert backlog(QUEUES) == Backlog(ready=3, is_cut=True)


class TestOtherWorkers:
    def test_only_live_ones_on_the_same_queues_help(self) -> None:
        me = worker("me@h", "normal", slots=50)
        worker("same@h", "normal", "low", slots=3)
        worker("another@h", "critical", slots=7)
        worker("gone@h", "normal", slots=9, left=True)
        assert other_slots(me, ["normal"]) == 3

    def test_a_bell_is_passed_on_only_to_those_that_may_take_what_waits(self) -> None:
        WorkerProfile.objects.create(name="mail", job_types=["sample.work"])
        WorkerProfile.objects.create(name="off", enabled=False)
        me = worker("me@h", *QUEUES)
        waiting = {("normal", "sample.echo"), ("low", "sample.work")}
        assert others_may_take(me, waiting) == set()
        worker("off@h", *QUEUES, profile="off")
        assert others_may_take(me, waiting) == set()
        worker("mail@h", *QUEUES, profile="mail")
        assert others_may_take(me, waiting) == {"low"}
        worker("any@h", "normal")
        assert others_may_take(me, waiting) == {"normal", "low"}


class TestARestrictedTake:
    def test_takes_its_types_alone_in_their_order(self) -> None:
        wait("sample.echo", 2, priority="critical")
        low = submit("sample.work", {"path": "/dev/null"}, priority="low").job_id
        high = submit("sample.work", {"path": "/dev/null"}, priority="high").job_id
        other = submit("sample.own_queue", {"path": "/dev/null"}).job_id
        taker = Taker(uuid4(), 1)
        queues = [*QUEUES, "sample.normal", "own.normal"]
        taken = take(taker, queues, limit=10, wanted=Wanted(types=["sample.work", "sample.gone"]))
        assert [job.pk for job in taken] == [high, low]
        assert take(taker, queues, wanted=Wanted(types={"sample.work"})) == []
        assert take(taker, queues, wanted=Wanted(types=[])) == []
        waiting = Job.objects.filter(state="queued")
        assert waiting.count() == 3
        assert waiting.filter(pk=other).exists()

    def test_what_it_leaves_is_known(self) -> None:
        wait("sample.echo", 2)
        wait("sample.work", 1, priority="low")
        assert ready_of_other_types(QUEUES, {"sample.work"}) == {("normal", "sample.echo")}
        assert ready_of_other_types(["low"], {"sample.work"}) == set()
        pause_queue("normal", actor="ada")
        assert ready_of_other_types(QUEUES, {"sample.work"}) == set()

    def test_a_profile_without_types_allows_all(self) -> None:
        WorkerProfile.objects.create(name="all")
        WorkerProfile.objects.create(name="one", job_types=["sample.echo"])
        assert job_types_of("all") is None
        assert job_types_of("none of this name") is None
        assert job_types_of("one") == frozenset({"sample.echo"})
