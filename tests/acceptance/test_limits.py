"""However many slots and jobs there are, no more run at once than the limits allow."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from jobs.models import Job, Worker
from jobs.public import NewJob, submit_many
from tests.conftest import LiveProcess
from tests.stack import Process, eventually
from tests.stack.run import celery

SLOTS = 3


@pytest.fixture
def two_workers(live_process: LiveProcess, transactional_db: None) -> None:
    """Six slots in all, where three jobs may run at once, of them one of the queue `low`."""
    limits = {"JOBSITE_MAX_CONCURRENT_JOBS": "3", "JOBSITE_QUEUE_CONCURRENCY": '{"low": 1}'}
    for name in ("one", "two"):
        command = celery("worker", "--concurrency", str(SLOTS), "-n", f"{name}@%h")
        _ready(live_process(command, name=name, env=limits))


def _ready(worker: Process) -> None:
    eventually(lambda: "ready." in worker.tail(), 30)


def test_of_a_worker_as_the_settings_size_it(
    live_process: LiveProcess, transactional_db: None, tmp_path: Path
) -> None:
    _ready(live_process(celery("worker"), env={"JOBSITE_WORKER_CONCURRENCY": "1"}))
    assert Worker.objects.get(stopped_at=None).concurrency == 1
    path = tmp_path / "witness"
    submit_many(
        NewJob("sample.paced", {"path": str(path), "label": "x", "seconds": 0.3}) for _ in range(3)
    )
    eventually(lambda: Job.objects.filter(state="completed").count() == 3, 30)
    assert most_at_once(path.read_text().splitlines()) == 1


def test_of_a_key_however_many_slots_there_are(two_workers: None, tmp_path: Path) -> None:
    path = tmp_path / "witness"
    submit_many(
        NewJob("sample.keyed", {"path": str(path), "label": f"k{n % 2}", "seconds": 0.1})
        for n in range(12)
    )
    eventually(lambda: Job.objects.filter(state="completed").count() == 12, 30)
    lines = path.read_text().splitlines()
    assert [most_at_once(lines, only=key) for key in ("k0", "k1")] == [1, 1]
    assert most_at_once(lines) == 2  # the one key does not hold up the other


def most_at_once(lines: Iterable[str], only: str = "") -> int:
    """Return how many began before as many had ended."""
    now = most = 0
    for line in lines:
        label = line.split()[0]
        if label.startswith(only):
            now += 1 if label.endswith(":begin") else -1
            most = max(most, now)
    return most


@pytest.mark.usefixtures("two_workers")
def test_of_the_site_a_queue_and_a_type(tmp_path: Path) -> None:
    path = tmp_path / "witness"
    path.touch()
    kinds = [("sample.limited", "type", "normal"), ("sample.paced", "queue", "low"),
             ("sample.paced", "any", "normal")]  # fmt: skip
    count = 10 * SLOTS
    submitted = submit_many(
        NewJob(
            job_type, {"path": str(path), "label": label, "seconds": 0.05}, {"priority": priority}
        )
        for _ in range(count)
        for job_type, label, priority in kinds
    )
    assert not submitted.errors
    done = Job.objects.filter(state="completed")
    eventually(lambda: done.count() == len(kinds) * count, 60)
    lines = path.read_text().splitlines()
    assert len(lines) == 2 * len(kinds) * count
    assert most_at_once(lines) == 3
    assert most_at_once(lines, "type") == 2
    assert most_at_once(lines, "queue") == 1
    assert len(set(done.values_list("worker_id", flat=True))) == 2
