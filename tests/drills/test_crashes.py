"""Processes of a worker die, are stopped, or are killed by what they run."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest

from jobs.models import Attempt, Job
from jobs.public import get
from tests.drills.conftest import Start
from tests.drills.drill import RECOVERY_SECONDS, Drill
from tests.sample import faults
from tests.stack import eventually

quick = pytest.mark.quick


def running(count: int = 1) -> bool:
    return Job.objects.filter(state="running").count() >= count


def begun(drill: Drill, label: str, times: int) -> bool:
    return drill.witness.count("begin")[label] == times


def child_of(worker: int) -> int:
    """Return the process that runs a job now."""
    (job,) = Job.objects.filter(state="running")[:1]
    assert job.pid in {each.pid for each in psutil.Process(worker).children()}
    return job.pid


@pytest.mark.every_pair
@pytest.mark.parametrize(
    "point",
    [
        pytest.param(each, marks=quick if each in ("after_take", "before_record") else ())
        for each in faults.POINTS
    ],
)
@pytest.mark.drill_of(1, "kill -9 of the whole worker")
def test_a_worker_is_killed_at_each_point(
    drill: Drill, start_worker: Start, start_beat: Start, fault: Callable[[str], Path], point: str
) -> None:
    drill.name += f", {point.replace('_', ' ')}"
    start_beat()
    armed = fault(point)
    worker = start_worker(wait=False)
    drill.submit(40, params={"seconds": 0.02})
    eventually(lambda: worker.returncode == -signal.SIGKILL, 40)
    assert not armed.exists()
    drill.fault()
    start_worker()
    drill.account(within=RECOVERY_SECONDS + 10)  # and the start of a worker


@pytest.mark.every_pair
@quick
@pytest.mark.drill_of(2, "kill -9 of a child")
def test_a_child_is_killed(drill: Drill, start_worker: Start, start_beat: Start) -> None:
    start_beat()
    worker = start_worker()
    (job_id,) = drill.submit(params={"seconds": 3})
    eventually(lambda: drill.witness.count("begin")["0"] == 1, 20)
    os.kill(child_of(worker.pid), signal.SIGKILL)
    drill.fault()
    eventually(lambda: get(job_id).state == "running" and get(job_id).run == 2, 5)
    drill.account()
    (lost,) = Attempt.objects.filter(job_id=job_id)
    assert "signal 9, SIGKILL" in lost.error


@pytest.mark.drill_of("2c", "kill -9 of children whose slots were cleaned away")
def test_children_are_killed_whose_slots_were_cleaned_away(
    drill: Drill, start_worker: Start, start_beat: Start, tmp_path: Path
) -> None:
    start_beat()
    folder = tmp_path / "temporary"
    folder.mkdir()
    worker = start_worker("--concurrency", "1", TMPDIR=str(folder))
    drill.submit(params={"seconds": 1})
    eventually(drill.all_final, 20)
    for slots in folder.glob("jobsite-worker-*"):
        shutil.rmtree(slots)
    (job_id,) = drill.submit(params={"seconds": 3})
    for run in (1, 2):
        eventually(partial(begun, drill, "1", run), 20)
        os.kill(child_of(worker.pid), signal.SIGKILL)
        drill.fault()
    eventually(partial(begun, drill, "1", 3), 15)
    drill.account()
    assert get(job_id).run == 3


@pytest.mark.every_pair
@pytest.mark.drill_of(7, "a worker stopped for longer than its lease")
def test_a_worker_that_comes_back_from_the_dead(
    drill: Drill, start_worker: Start, start_beat: Start
) -> None:
    start_beat()
    frozen = start_worker("--concurrency", "1")
    (job_id,) = drill.submit(params={"seconds": 12})
    eventually(lambda: drill.witness.count("begin")["0"] == 1, 20)
    os.killpg(frozen.pid, signal.SIGSTOP)
    drill.fault()
    second = start_worker("--concurrency", "1")
    eventually(lambda: get(job_id).run == 2 and get(job_id).state == "running", 20)
    os.killpg(frozen.pid, signal.SIGCONT)
    eventually(lambda: drill.witness.count("LostJob")["0"] == 1, 10)
    drill.account(within=60)
    job = get(job_id)
    assert job.pid in {each.pid for each in psutil.Process(second.pid).children()}
    assert "worker_was_believed_dead" in frozen.output()
    assert drill.witness.count("effect") == {"0": 1}


@pytest.mark.parametrize("kind", ["segfault", "hog"])
@pytest.mark.drill_of(13, "a job that kills its process")
def test_poison_is_found_and_its_neighbours_go_on(
    drill: Drill, start_worker: Start, start_beat: Start, kind: str
) -> None:
    drill.name += f": {kind}"
    start_beat()
    start_worker("--concurrency", "3", JOBSITE_KILL_MEMORY_MB="300")

    def pace(count: int) -> float:
        began = time.monotonic()
        ids = drill.submit(count, params={"seconds": 0.1}, priority="low")
        eventually(lambda: drill.all_final(ids), 60)
        return count / (time.monotonic() - began)

    alone = pace(400)
    (poison,) = drill.submit(job_type=f"sample.{kind}", priority="high")
    drill.disturbed()
    beside = pace(400)
    eventually(lambda: get(poison).is_final, 60)
    job = get(poison)
    assert (job.state, job.failure_reason, job.attempt) == ("failed", "worker_lost", 3)
    assert ("SIGSEGV" if kind == "segfault" else "300 are allowed") in job.error
    # It holds one of three slots as long as it runs; the rest must not suffer beyond that.
    assert beside >= 0.8 * alone * (1 if kind == "segfault" else 2 / 3)
    drill.account(completed=[each for each in drill.ids if each != poison])


@pytest.mark.drill_of(14, "a job that swallows its timeout")
def test_a_job_that_swallows_its_timeout_is_killed(
    drill: Drill, start_worker: Start, start_beat: Start
) -> None:
    start_beat()
    start_worker()
    (job_id,) = drill.submit(job_type="sample.stubborn")
    eventually(running, 20)
    drill.disturbed()
    drill.account(within=20, completed=[])
    job = get(job_id)
    assert (job.state, job.failure_reason) == ("failed", "timeout")
    assert job.run_time is not None
    assert job.run_time.total_seconds() <= 1 + 5
