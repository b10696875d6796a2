"""What was taken together waits behind a job that is slow for once no longer than it may."""

from pathlib import Path

import pytest

from jobs.models import Job
from jobs.public import NewJob, get, pause_queue, resume_queue, submit_many
from tests.conftest import LiveProcess
from tests.stack import eventually
from tests.stack.run import celery

BATCH = 40


@pytest.mark.once
def test_a_partial_batch_is_handed_on_at_its_time(
    live_process: LiveProcess, transactional_db: None, tmp_path: Path
) -> None:
    worker = live_process(
        celery("worker", "--concurrency", "2"), env={"JOBSITE_BATCH_TIMEOUT_SECS": "2"}
    )
    eventually(lambda: "ready." in worker.tail(), 30)
    quick = {"path": str(tmp_path / "quick")}
    submit_many(NewJob("sample.step", quick) for _ in range(800))  # so that they are known as such
    eventually(lambda: not Job.objects.exclude(state="completed").exists(), 60)
    pause_queue("normal", actor="test")
    slow = {**quick, "kind": "slow", "seconds": 6, "label": "slow"}
    first, *_ = submit_many([NewJob("sample.step", slow)]).job_ids
    behind = submit_many(NewJob("sample.step", quick) for _ in range(BATCH)).job_ids
    resume_queue("normal", actor="test")
    assert first is not None
    eventually(lambda: get(first).state == "running", 10)
    done = Job.objects.filter(pk__in=[each for each in behind if each], state="completed")
    eventually(lambda: done.count() == BATCH, 5)
    assert get(first).state == "running"
    began = get(first).started_at
    assert began is not None
    waited = sorted((job.started_at - began).total_seconds() for job in done if job.started_at)
    assert len(waited) == BATCH
    # Nothing of the batch began before its time; it did within the second after it.
    assert 2 <= waited[0] <= waited[-1] < 3.5
    eventually(lambda: get(first).state == "completed", 10)
    assert get(first).run == 1
