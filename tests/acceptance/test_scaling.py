"""A real worker that scales between its bounds, and what runs in it meanwhile."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import count, takewhile
from typing import Any

import pytest
from celery import current_app

from jobs.domain.submission import NewJob
from jobs.models import Attempt, Job, Worker
from jobs.public import submit_many
from jobs.selectors.event_stream import follow
from tests.conftest import LiveProcess
from tests.stack import Process, eventually
from tests.stack.run import celery

INTERVAL_SECONDS = 2
BOUNDS = {
    "JOBSITE_MIN_WORKERS": "1",
    "JOBSITE_MAX_WORKERS": "4",
    "JOBSITE_SCALE_INTERVAL_SECONDS": str(INTERVAL_SECONDS),
    "JOBSITE_SCALE_WAIT_SECONDS": "2",
}
pytestmark = [pytest.mark.once, pytest.mark.usefixtures("stack", "transactional_db")]


def row(process: Process) -> Worker:
    return eventually(lambda: Worker.objects.filter(pid=process.pid).first(), 30)


def slots(process: Process) -> int:
    return row(process).concurrency


def done() -> bool:
    return not Job.objects.exclude(state="completed").exists()


def steps(name: str) -> list[dict[str, Any]]:
    """Return the events by which a worker told of its steps."""
    told = takewhile(bool, follow(since="0", pause=timedelta(milliseconds=50)))
    scaled = (each for each in told if each and each["event"] == "worker_scaled")
    return [each for each in scaled if each["worker"].startswith(name)]


class Works:
    """Submits jobs that take some time and leave their label in the witness's file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._numbers = count()
        self.labels: list[str] = []

    def submit(self, number: int, seconds: float) -> None:
        labels = [f"j{next(self._numbers)}" for _ in range(number)]
        self.labels += labels
        told = [{"path": self._path, "label": label, "seconds": seconds} for label in labels]
        submit_many([NewJob("sample.work", params) for params in told])


def test_it_grows_with_a_backlog_and_shrinks_when_idle(
    live_process: LiveProcess, path: str
) -> None:
    worker = live_process(celery("worker", "-n", "scaled@%h"), name="scaled", env=BOUNDS)
    before = row(worker)
    assert (before.concurrency, before.min_concurrency, before.max_concurrency) == (1, 1, 4)
    Works(path).submit(40, 0.5)
    # Two intervals, the second in which the parent looks twice, and the writing of the row.
    eventually(lambda: slots(worker) == 4, 2 * INTERVAL_SECONDS + 1.5, what="the maximum")
    busy = Job.objects.filter(state="running")
    eventually(lambda: busy.values("pid").distinct().count() == 4, 10, what="all at work")
    eventually(done, 40, what="the backlog to be done")
    eventually(lambda: slots(worker) == 1, 40, what="the minimum")
    told = steps("scaled")
    assert [each["before"] for each in told] == [1, *(each["after"] for each in told[:-1])]
    assert all(1 <= each["after"] <= 4 for each in told)
    assert (told[0]["after"], told[-1]["after"]) == (4, 1)
    assert "to be drained in 2 s" in told[0]["why"]
    assert "0 jobs ready" in told[-1]["why"]
    assert worker.output().count("worker_scaled") == len(told)
    assert Attempt.objects.count() == 0


@pytest.mark.long
def test_nothing_is_lost_while_it_shrinks_under_load(
    live_process: LiveProcess, path: str, witness: Callable[[], list[str]]
) -> None:
    worker = live_process(celery("worker", "-n", "waning@%h"), name="waning", env=BOUNDS)
    works = Works(path)
    for _ in range(3):
        works.submit(80, 0.2)
        eventually(lambda: slots(worker) >= 3, 20, what="more slots")
        eventually(lambda: Job.objects.filter(state="queued").count() < 3, 30)
        while slots(worker) > 1:
            works.submit(1, 0.3)  # one slot stays busy while the others go
            eventually(done, 20)
    assert Counter(witness()) == Counter(works.labels)
    assert Attempt.objects.count() == 0
    assert set(Job.objects.values_list("attempt", "run")) == {(1, 1)}
    assert sum(each["after"] < each["before"] for each in steps("waning")) >= 3
    assert "Process " not in worker.output()  # as the pool tells of one that died


@pytest.mark.long
def test_the_command_line_goes_before_the_settings_and_a_remote_command_changes_both(
    live_process: LiveProcess,
) -> None:
    worker = live_process(
        celery("worker", "-n", "told@%h", "--autoscale", "3,2"), name="told", env=BOUNDS
    )
    assert (slots(worker), row(worker).max_concurrency) == (2, 3)
    node = [row(worker).name]

    def ask(**bounds: int) -> str:
        autoscale = current_app.control.autoscale
        answer = eventually(lambda: autoscale(**bounds, destination=node, reply=True), 20)
        return str(answer)

    assert "max=6 min=5" in ask(max=6, min=5)
    eventually(lambda: slots(worker) == 5, 2 * INTERVAL_SECONDS + 1.5)
    assert row(worker).max_concurrency == 6
    assert "from 4 to 2 slots" in ask(max=2, min=4)


def test_a_pool_that_cannot_grow_says_so(live_process: LiveProcess) -> None:
    worker = live_process(
        celery("worker", "-n", "threads@%h", "--pool", "threads", "--concurrency", "2"),
        name="threads",
        env=BOUNDS,
    )
    worker.wait_for("scaling_impossible")
    assert (slots(worker), row(worker).max_concurrency) == (2, None)
