"""What a small worker needs."""

import psutil
import pytest

from jobs.models import Job
from jobs.public import NewJob, submit_many
from tests.conftest import LiveProcess
from tests.stack import eventually
from tests.stack.run import celery

#: Resident, of the worker and its two processes together; pages that they share count each time.
CEILING_MB = 400
JOBS = 2000


@pytest.mark.once
def test_the_profile_constrained_keeps_below_its_ceiling(
    live_process: LiveProcess, transactional_db: None
) -> None:
    worker = live_process(celery("worker"), env={"JOBSITE_PROFILE": "constrained"})
    eventually(lambda: "ready." in worker.tail(), 30)
    submit_many(NewJob("sample.echo", {"value": "x" * 1000}) for _ in range(JOBS))
    eventually(lambda: Job.objects.filter(state="completed").count() == JOBS, 60)
    parent = psutil.Process(worker.pid)
    family = [parent, *parent.children(recursive=True)]
    assert len(family) == 1 + 2
    used = sum(process.memory_info().rss for process in family) / 2**20
    assert used < CEILING_MB
