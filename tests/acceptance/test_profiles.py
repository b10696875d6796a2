"""What a worker's profile says is obeyed within seconds, without a restart."""

from collections.abc import Callable
from typing import Any

import pytest

from jobs.models import Job, Worker, WorkerProfile
from jobs.public import get, submit
from tests.acceptance.conftest import Final
from tests.conftest import LiveProcess
from tests.stack import Process, eventually
from tests.stack.run import celery

#: How soon a change is obeyed, at most.
SOON = 5
pytestmark = [pytest.mark.once, pytest.mark.usefixtures("stack", "transactional_db")]


@pytest.fixture
def profiled(live_process: LiveProcess) -> Callable[..., Process]:
    def start(*options: str, profile: str = "steered", **env: str) -> Process:
        process = live_process(
            celery("worker", "-n", f"{profile}@%h", *options), name=profile, env=env
        )
        eventually(lambda: Worker.objects.filter(pid=process.pid).exists(), 30)
        return process

    return start


def change(name: str = "steered", **fields: Any) -> None:
    WorkerProfile.objects.update_or_create(name=name, defaults=fields)


def row(process: Process) -> Worker:
    return Worker.objects.get(pid=process.pid)


def obeyed(process: Process, times: int) -> None:
    """Wait until the worker has seen so many changes of its profile."""
    eventually(lambda: process.output().count("profile_changed") >= times, SOON)


def test_disabled_it_finishes_what_runs_takes_nothing_and_goes_on_beating(
    profiled: Callable[..., Process], path: str, final: Final
) -> None:
    worker = profiled("--concurrency", "2", JOBSITE_LEASE_SECONDS="3")
    running = submit("sample.work", {"path": path, "seconds": 4}).job_id
    eventually(lambda: get(running).state == "running", 10)
    change(enabled=False)
    obeyed(worker, 1)
    waiting = [submit("sample.echo").job_id for _ in range(5)]
    assert final(running).state == "completed"
    # It is believed dead, or deaf, after a lease of three seconds; it is neither.
    seen = row(worker).seen_at
    eventually(lambda: (row(worker).seen_at - seen).total_seconds() > 5, 15)
    assert {get(each).state for each in waiting} == {"queued"}
    assert (row(worker).profile, row(worker).stopped_at, row(worker).ailment) == (
        "steered", None, ""
    )  # fmt: skip
    change(enabled=True)
    for each in waiting:
        assert final(each, SOON + 3).state == "completed"


def test_it_takes_only_the_types_of_its_profile(
    profiled: Callable[..., Process], final: Final
) -> None:
    change(job_types=["sample.counted", "sample.echo"])
    worker = profiled("--concurrency", "2", "--queues", "critical,high,normal,low")
    change(job_types=["sample.nested"])
    obeyed(worker, 2)
    left = submit("sample.echo", priority="critical").job_id
    mine = submit("sample.nested", {"period": {"start": 1}}).job_id
    assert final(mine).state == "completed"
    assert get(left).state == "queued"
    change(job_types=[])
    assert final(left, SOON + 3).state == "completed"


@pytest.mark.long
def test_a_job_that_one_may_not_take_is_soon_taken_by_another(
    profiled: Callable[..., Process], final: Final
) -> None:
    change(job_types=["sample.nested"])
    restricted = profiled("--concurrency", "4")
    free = profiled("--concurrency", "1", profile="free")
    waits = []
    for _ in range(20):
        job = final(submit("sample.echo").job_id)
        assert job.worker_id == row(free).pk
        assert job.started_at
        waits.append((job.started_at - job.created_at).total_seconds())
    assert sorted(waits)[10] < 0.5
    assert max(waits) < 2
    assert "steered" in restricted.name


@pytest.mark.long
def test_its_slots_follow_the_profile_and_come_back(
    profiled: Callable[..., Process], path: str
) -> None:
    worker = profiled("--concurrency", "2")
    running = [submit("sample.work", {"path": path, "seconds": 6}).job_id for _ in range(2)]
    eventually(lambda: {get(each).state for each in running} == {"running"}, 10)
    change(concurrency=3)
    eventually(lambda: row(worker).concurrency == 3, SOON)
    third = submit("sample.work", {"path": path, "seconds": 1}).job_id
    eventually(lambda: get(third).state == "running", 5)
    change(concurrency=1)
    # Two are busy: they are let finish, and only then are their slots given up.
    eventually(lambda: row(worker).concurrency == 1, SOON + 8)
    assert {get(each).state for each in [*running, third]} == {"completed"}
    assert set(Job.objects.values_list("run", flat=True)) == {1}
    change(concurrency=None)
    eventually(lambda: row(worker).concurrency == 2, SOON)
    assert "the profile steered asks for 3" in worker.output()


@pytest.mark.long
def test_it_caps_a_worker_that_scales(profiled: Callable[..., Process], path: str) -> None:
    change(concurrency=2)
    worker = profiled(
        JOBSITE_MAX_WORKERS="4",
        JOBSITE_SCALE_INTERVAL_SECONDS="0.5",
        JOBSITE_SCALE_WAIT_SECONDS="1",
    )
    for _ in range(50):
        submit("sample.work", {"path": path, "seconds": 0.3})
    eventually(lambda: row(worker).concurrency == 2, SOON)
    assert row(worker).max_concurrency == 2
    change(concurrency=3)
    eventually(lambda: row(worker).concurrency == 3, SOON)
    assert row(worker).max_concurrency == 3


def test_drained_it_finishes_what_runs_and_leaves(
    profiled: Callable[..., Process], path: str, final: Final
) -> None:
    worker = profiled("--concurrency", "2")
    running = submit("sample.work", {"path": path, "seconds": 5}).job_id
    eventually(lambda: get(running).state == "running", 10)
    change(draining=True)
    obeyed(worker, 1)
    left = submit("sample.echo").job_id
    assert worker.wait(20) == 0
    job = get(running)
    assert (job.state, job.run) == ("completed", 1)
    assert get(left).state == "queued"
    assert "worker_drained" in worker.output()
    assert row(worker).stopped_at is not None
    # One that is started all the same stays, and takes nothing until it may.
    again = profiled("--concurrency", "1")
    obeyed(again, 1)
    eventually(lambda: row(again).profile == "steered", SOON)
    assert get(left).state == "queued"
    change(draining=False)
    assert final(left, SOON + 3).worker_id == row(again).pk
    assert again.returncode is None


@pytest.mark.long
def test_its_time_to_stop_is_the_profiles(
    profiled: Callable[..., Process], path: str, witness: Callable[[], list[str]]
) -> None:
    change("another", graceful_shutdown_seconds=1)
    worker = profiled("--concurrency", "1", JOBSITE_WORKER_PROFILE="another")
    running = submit("sample.silent", {"path": path, "label": "a", "seconds": 60}).job_id
    eventually(lambda: get(running).state == "running", 10)
    worker.terminate(10)
    assert "a:WorkerStopping" in witness()
    assert '"seconds": 1.0' in worker.output()
    assert get(running).state == "queued"
    assert row(worker).profile == "another"
