"""Jobs that wait for others, and batches of them, on real workers."""

from collections.abc import Callable

import pytest

from jobs import After
from jobs.models import Job
from jobs.public import (
    NewJob,
    cancel,
    create_batch,
    get,
    get_batch,
    retry,
    submit,
    submit_many,
)
from jobs.selectors.ledger import ledger
from tests.acceptance.conftest import Final
from tests.conftest import LiveProcess
from tests.stack import eventually
from tests.stack.run import celery


@pytest.fixture(autouse=True)
def _worker(live_process: LiveProcess, transactional_db: None) -> None:
    worker = live_process(celery("worker", "--concurrency", "2"), name="worker")
    eventually(lambda: "ready." in worker.tail(), 30)


def test_a_chain_runs_in_order_and_hands_results_on(
    final: Final, path: str, witness: Callable[[], list[str]]
) -> None:
    first = submit("sample.work", {"path": path, "label": "first", "seconds": 0.5}).job_id
    second = submit("sample.work", {"path": path, "label": "second"}, depends_on=[first]).job_id
    last = submit("sample.gathered", depends_on=[second, first]).job_id
    assert get(second).state == "blocked"
    result = final(last).result
    assert result is not None
    assert [each for each, _ in result] == [str(second), str(first)]
    assert witness() == ["first", "second"]
    assert get(first).finished_at <= get(second).started_at  # type: ignore[operator]


def test_what_waits_holds_no_slot(final: Final, path: str) -> None:
    """Two slots, and forty jobs that wait for one that needs a slot."""
    slow = submit("sample.work", {"path": path, "label": "slow", "seconds": 2}).job_id
    submit_many(NewJob("sample.echo", {"value": n}, {"depends_on": [slow]}) for n in range(40))
    other = submit("sample.echo", {"value": "other"}).job_id
    final(other, timeout=1.9)
    assert get(slow).state == "running"
    eventually(lambda: Job.objects.filter(state="completed").count() == 42, 15)


def test_a_failure_is_passed_on_and_a_retry_takes_it_back(final: Final, path: str) -> None:
    trouble = {"kind": "permanent", "path": path, "fail_times": 1}
    first = submit("sample.trouble", trouble).job_id
    second = submit("sample.echo", {"value": 2}, depends_on=[first]).job_id
    third = submit("sample.echo", {"value": 3}, depends_on=[After(second, "skip")]).job_id
    assert final(third).state == "cancelled"
    assert (get(second).state, get(second).failure_reason) == ("failed", "dependency_failed")
    retry(first, actor="a test")
    eventually(lambda: get(third).state == "completed", 15)
    assert get(second).state == "completed"
    assert ledger().lost == 0


def test_a_running_job_that_is_cancelled_takes_its_followers_along(final: Final, path: str) -> None:
    first = submit("sample.work", {"path": path, "label": "first", "seconds": 30}).job_id
    second = submit("sample.echo", depends_on=[first]).job_id
    eventually(lambda: get(first).state == "running", 10)
    cancel(first, actor="a test")
    assert final(second).state == "failed"
    assert get(first).state == "cancelled"


def test_a_batch_life_once_however_its_worker_dies(final: Final, path: str) -> None:
    made = create_batch(
        [NewJob("sample.echo", {"value": n}) for n in range(200)]
        + [NewJob("sample.trouble", {"kind": "crash", "path": path, "fail_times": 1})],
        on_success=NewJob("sample.about_batch", {"moment": "success"}),
        on_failure=NewJob("sample.about_batch", {"moment": "failure"}),
    )
    eventually(lambda: get_batch(made.batch_id).state == "finished", 60)
    assert get_batch(made.batch_id).counts == {"completed": 201}
    [led_to] = Job.objects.filter(job_type="sample.about_batch")
    assert final(led_to.pk).result == "success"
