"""Many jobs in one take: whatever one of them does, the others lose nothing by it."""

import os
import signal
from collections.abc import Callable
from uuid import UUID

import pytest

from jobs.models import Attempt, Job
from jobs.public import get, pause_queue, resume_queue
from tests.drills.conftest import Start
from tests.drills.drill import Drill
from tests.stack import eventually

quick = pytest.mark.quick
TAKE = 100
BAD = 37
Together = Callable[..., list[UUID]]


@pytest.fixture
def together(drill: Drill, start_worker: Start, start_beat: Start) -> Together:
    """Return a function that submits a hundred quick jobs that share a take, the 37th a bad one."""

    def submit(kind: str = "", *, slots: str = "1", seconds: float = 0) -> list[UUID]:
        start_beat()
        start_worker("--concurrency", slots)
        # A process takes many at once when it has seen that they are quick.
        drill.submit(400 * int(slots), "sample.step")
        eventually(drill.all_final, 60)
        pause_queue("normal", actor="drill")
        ids = drill.submit(BAD, "sample.step")
        ids += drill.submit(1, "sample.step", params={"kind": kind, "seconds": seconds})
        ids += drill.submit(TAKE - BAD - 1, "sample.step")
        resume_queue("normal", actor="drill")
        return ids

    return submit


@pytest.mark.every_pair
@quick
@pytest.mark.drill_of("2b", "kill -9 of a child with a take of a hundred")
def test_a_child_is_killed_that_holds_many(drill: Drill, together: Together) -> None:
    ids = together("slow", seconds=10)
    bad = get(ids[BAD])
    eventually(lambda: drill.witness.count("begin")[str(bad.params["label"])] == 1, 20)
    pid = get(bad.pk).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    drill.fault()
    drill.account(within=30)
    # What had not begun, or was not recorded yet, has no attempt spent.
    assert [job.pk for job in Job.objects.filter(attempt=2)] == [bad.pk]
    assert [each.job_id for each in Attempt.objects.filter(outcome="lost")] == [bad.pk]


@quick
@pytest.mark.drill_of("13b", "a job that kills its process, in a take of a hundred")
def test_one_of_many_kills_its_process(drill: Drill, together: Together) -> None:
    ids = together("segfault")
    drill.crashes = 3
    drill.disturbed()
    drill.account(within=60, completed=[each for each in drill.ids if each != ids[BAD]])
    poison = get(ids[BAD])
    assert (poison.state, poison.failure_reason, poison.attempt) == ("failed", "worker_lost", 3)
    assert "SIGSEGV" in poison.error
    assert not Job.objects.exclude(pk=poison.pk).filter(attempt__gt=1).exists()


@quick
@pytest.mark.drill_of("21", "a job that goes on and on, in a take of a hundred")
def test_nobody_waits_behind_one_that_goes_on_and_on(drill: Drill, together: Together) -> None:
    ids = together("slow", slots="2", seconds=8)
    drill.disturbed()
    others = [each for each in ids if each != ids[BAD]]
    eventually(lambda: drill.all_final(others), 4)
    assert get(ids[BAD]).state == "running"
    drill.account(within=20, runs_at_most=1)
    assert not Attempt.objects.exists()


@quick
@pytest.mark.drill_of("22", "a result that cannot be stored, in a take of a hundred")
def test_one_of_many_returns_what_cannot_be_stored(drill: Drill, together: Together) -> None:
    ids = together("unstorable")
    good = [each for each in drill.ids if each != ids[BAD]]
    drill.account(completed=good, runs_at_most=1)
    bad = get(ids[BAD])
    assert (bad.state, bad.error_type, bad.attempt) == ("failed", "UnstorableResult", 1)
