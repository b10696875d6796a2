"""Workers are stopped one after the other, as a deployment does it."""

import json
import signal
import time

import pytest

from jobs.models import Attempt, Job
from jobs.public import get
from tests.drills.conftest import Start
from tests.drills.drill import Drill
from tests.stack import eventually


@pytest.mark.drill_of(12, "rolling restart under load")
def test_a_rolling_restart(drill: Drill, start_worker: Start, start_beat: Start) -> None:
    beat = start_beat()
    workers = [start_worker("--concurrency", "2") for _ in range(3)]
    long = drill.submit(2, params={"seconds": 25})
    drill.submit(600, params={"seconds": 0.1}, priority="low")
    eventually(lambda: drill.witness.count("begin").total() >= 20, 20)
    drill.disturbed()
    handed_on = []
    for worker in workers:
        began = time.monotonic()
        worker.signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        assert time.monotonic() - began <= 30
        told = worker.output().splitlines()
        handed_on += [json.loads(line)["job_id"] for line in told if "job_outlasts_worker" in line]
        start_worker("--concurrency", "2")
    drill.account(within=120, runs_at_most=4)
    # What outlasted the grace was handed on with no attempt spent, and the log says which.
    for job in Job.objects.filter(pk__in=long):
        released = Attempt.objects.filter(job=job, outcome="released").count()
        assert (job.attempt, job.run) == (1, 1 + released)
    assert handed_on
    assert set(handed_on) <= {str(each) for each in long}
    assert not Attempt.objects.filter(outcome="lost").exists()
    beat.signal(signal.SIGTERM)
    assert beat.wait(30) == 0


@pytest.mark.drill_of("12b", "SIGTERM, with jobs of 20 s and of 60 s")
def test_the_grace_that_a_worker_comes_with(
    drill: Drill, start_worker: Start, start_beat: Start
) -> None:
    start_beat()
    worker = start_worker("--concurrency", "2", WORKER_SHUTDOWN_SECONDS="25")
    (short,) = drill.submit(params={"seconds": 20})
    (long,) = drill.submit(params={"seconds": 60})
    eventually(lambda: drill.witness.count("begin").total() == 2, 20)
    began = time.monotonic()
    drill.disturbed()
    worker.signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert time.monotonic() - began <= 30
    assert (get(short).state, get(short).attempt) == ("completed", 1)
    assert (get(long).state, get(long).attempt) == ("queued", 0)
    start_worker("--concurrency", "2")
    drill.account(within=110, runs_at_most=2)
    assert (get(long).attempt, get(long).run) == (1, 2)
