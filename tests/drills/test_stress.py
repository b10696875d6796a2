"""Ten thousand jobs and four workers: nothing is run twice, nothing waits for ever."""

import random

import psutil
import pytest

from jobs.models import Job, Worker
from tests.drills.conftest import Start
from tests.drills.drill import Drill
from tests.stack import eventually

JOBS = 10_000


@pytest.mark.stress
@pytest.mark.timeout(900)
@pytest.mark.drill_of("S", "10,000 jobs, four workers")
def test_no_job_is_run_twice(drill: Drill, start_worker: Start, start_beat: Start) -> None:
    start_beat()
    for batch in ("1", "1", "10", "50"):
        start_worker("--concurrency", "2", JOBSITE_BATCH_SIZE=batch)
    priorities = ["low", "normal", "high", "critical"]
    for number in range(JOBS):
        drill.submit(priority=priorities[number % 4])
    drill.disturbed()
    eventually(drill.all_final, 600)
    drill.account(runs_at_most=1)
    assert drill.witness.count("effect").total() == JOBS
    assert len(set(Job.objects.values_list("worker_id", flat=True))) == 4


@pytest.mark.timeout(900)
@pytest.mark.drill_of("23", "10,000 jobs by the profile `reliability`, with kill -9")
def test_the_profile_for_reliability(drill: Drill, start_worker: Start, start_beat: Start) -> None:
    as_profiled = ("--prefetch-multiplier", "1")  # without a number of slots
    start_beat()
    workers = [start_worker(*as_profiled, JOBSITE_PROFILE="reliability") for _ in range(2)]
    assert set(Worker.objects.values_list("concurrency", flat=True)) == {5}
    for number in range(20):
        drill.submit(JOBS // 20)
        if number == 10:
            workers.pop().kill()
            workers.append(start_worker(*as_profiled, JOBSITE_PROFILE="reliability", wait=False))
        else:
            child = random.choice(psutil.Process(workers[0].pid).children())
            child.kill()
        drill.fault()
    eventually(drill.all_final, 300)
    drill.account()
    assert drill.witness.count("effect").total() >= JOBS
