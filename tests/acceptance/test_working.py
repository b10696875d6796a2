"""A real worker takes what was submitted, in its order, and ends it as it should."""

import os
import signal
import statistics
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from celery import current_app
from django.db import transaction
from django_celery_results.models import TaskResult

from jobs.models import Job, Worker
from jobs.public import cancel, get, retry, submit
from jobs.public import list as listed
from jobs.selectors import history
from jobs.services.doorbell import ring
from tests.acceptance.conftest import Final
from tests.conftest import LiveProcess
from tests.stack import Process, eventually
from tests.stack.run import celery

Witness = Callable[[], list[str]]
#: Of the sample types that overrun it, and what the site adds before it kills.
TIMEOUT = timedelta(seconds=1)
GRACE = timedelta(seconds=3)
pytestmark = pytest.mark.usefixtures("worker")


def test_a_job_runs_and_its_result_is_there(final: Final) -> None:
    job = final(submit("sample.echo", {"value": {"a": [1, None]}}).job_id)
    assert (job.state, job.result, job.attempt) == ("completed", {"a": [1, None]}, 1)
    worker_id = job.worker_id
    assert worker_id is not None
    row = eventually(lambda: Worker.objects.filter(pk=worker_id).first(), 15)
    assert row.name.startswith("shared@")
    assert job.pid != row.pid  # a child of it, not the worker itself


def test_a_submission_wakes_the_worker_at_once(final: Final) -> None:
    waits, beside = [], []
    for _ in range(30):
        job = final(submit("sample.echo").job_id)
        assert job.started_at is not None
        waits.append((job.started_at - job.created_at).total_seconds())
        beside.append(_seconds_of_a_plain_task())
    # On a machine that is busy with other things, a plain task does not come sooner either.
    assert statistics.median(waits) < max(0.1, 2 * statistics.median(beside))


def _seconds_of_a_plain_task() -> float:
    sent_at = datetime.now(UTC)
    done = TaskResult.objects.filter(task_id=current_app.send_task("sample.plain", args=[1]).id)
    result = eventually(done.all().first, 15)
    return float((result.date_done - sent_at).total_seconds())


def test_a_rolled_back_submission_runs_nothing(path: str, witness: Witness, final: Final) -> None:
    with transaction.atomic():
        submit("sample.work", {"path": path, "label": "undone"})
        transaction.set_rollback(True)
    with transaction.atomic():
        kept = submit("sample.work", {"path": path, "label": "kept"})
        assert witness() == []
    final(kept.job_id)
    assert witness() == ["kept"]


def test_errors_are_retried_by_the_timekeeper_of_a_beat(beat: Process, final: Final) -> None:
    job = final(submit("sample.trouble", {"kind": "error"}).job_id)
    assert (job.state, job.failure_reason, job.attempt) == ("failed", "retries_exhausted", 3)
    assert [each.outcome for each in history.attempts(job)] == ["error"] * 3


def test_a_dead_job_runs_again_when_it_is_retried(beat: Process, path: str, final: Final) -> None:
    params = {"kind": "permanent", "path": path, "fail_times": 1}
    job = final(submit("sample.trouble", params).job_id)
    assert job.failure_reason == "permanent_error"
    retry(job.pk, actor="ada")
    job = final(job.pk)
    assert (job.state, job.result, job.failure_reason) == ("completed", "recovered", "")
    assert [each.outcome for each in history.attempts(job)] == ["error", "completed"]


def test_a_delayed_job_never_starts_early(beat: Process, final: Final) -> None:
    submissions = [submit("sample.echo", delay=timedelta(seconds=1)) for _ in range(10)]
    for each in submissions:
        job = final(each.job_id, 30)
        assert job.started_at is not None
        assert job.run_at - job.created_at == timedelta(seconds=1)
        assert timedelta(0) <= job.started_at - job.run_at < timedelta(seconds=5)


def test_a_child_that_dies_costs_its_job_an_attempt_and_no_more(
    beat: Process, path: str, final: Final
) -> None:
    job = final(
        submit("sample.trouble", {"kind": "crash", "path": path, "fail_times": 1}).job_id, 30
    )
    assert (job.state, job.result) == ("completed", "recovered")
    assert [each.outcome for each in history.attempts(job)] == ["lost", "completed"]


def test_the_soft_timeout_ends_a_handler_that_listens(path: str, final: Final) -> None:
    job = final(submit("sample.sleepy", {"path": path}).job_id)
    assert (job.state, job.failure_reason, job.error_type) == ("failed", "timeout", "JobTimeout")
    assert "killed" not in job.error
    assert job.run_time is not None
    assert TIMEOUT <= job.run_time < TIMEOUT + GRACE


def test_a_handler_that_swallows_its_timeout_is_killed(path: str, final: Final) -> None:
    job = final(submit("sample.stubborn", {"path": path}).job_id, 30)
    assert (job.state, job.failure_reason) == ("failed", "timeout")
    assert "killed" in job.error
    assert job.run_time is not None
    assert TIMEOUT + GRACE <= job.run_time <= TIMEOUT + GRACE + timedelta(seconds=5)
    # Its slot is free again, as the other one is.
    both = [submit("sample.work", {"path": path, "seconds": 60}).job_id for _ in range(2)]
    eventually(lambda: {get(job_id).state for job_id in both} == {"running"}, 30)
    for job_id in both:
        cancel(job_id)
        final(job_id, 30)


def test_a_running_job_is_cancelled_at_its_next_report(path: str, final: Final) -> None:
    job_id = submit("sample.work", {"path": path, "seconds": 30}).job_id
    eventually(lambda: get(job_id).progress > 0)
    cancel(job_id, actor="ada")
    job = final(job_id)
    assert (job.state, job.error) == ("cancelled", "cancelled on request")
    assert job.run_time is not None
    assert job.run_time < timedelta(seconds=10)


def test_progress_is_seen_while_a_job_runs(path: str) -> None:
    job_id = submit("sample.work", {"path": path, "seconds": 4}).job_id
    seen: list[int] = []

    def ended() -> bool:
        seen.append(get(job_id).progress)
        return get(job_id).is_final

    eventually(ended, 15)
    assert seen == sorted(seen)
    assert len({each for each in seen if 0 < each < 100}) >= 2


def test_needless_and_repeated_rings_do_no_harm(path: str, witness: Witness, final: Final) -> None:
    job_id = submit("sample.work", {"path": path, "label": "once"}).job_id
    for _ in range(30):
        ring({"normal", "low", "critical"})
    final(job_id)
    final(submit("sample.echo", priority="low").job_id)
    assert witness() == ["once"]


def test_any_celery_client_submits_a_job_by_its_types_name(final: Final) -> None:
    sent = current_app.send_task("sample.echo", kwargs={"value": 3})
    eventually(lambda: bool(listed(job_type="sample.echo")))
    (job,) = listed(job_type="sample.echo")
    assert final(job.pk).result == 3
    assert (job.trigger, job.idempotency_key) == ("task", f"celery:{sent.id}")


def test_a_message_that_comes_twice_makes_one_job(final: Final) -> None:
    before = _messages_taken("sample.echo")
    for _ in range(3):
        current_app.send_task("sample.echo", kwargs={"value": 4}, task_id="same")
    eventually(lambda: _messages_taken("sample.echo") == before + 3, 30)
    eventually(lambda: not _at_work(), 30)
    (job,) = listed(job_type="sample.echo")
    assert final(job.pk).result == 4


def _messages_taken(task: str) -> int:
    """Return how many messages of the task the worker has begun with."""
    (told,) = (current_app.control.inspect(timeout=10, limit=1).stats() or {}).values()
    return int(told["total"].get(task, 0))


def _at_work() -> list[object]:
    """Return the messages that the worker holds."""
    inspect = current_app.control.inspect(timeout=10, limit=1)
    told = [inspect.active(), inspect.reserved()]
    return [message for each in told for held in (each or {}).values() for message in held]


def test_the_worker_has_a_row_that_tells_of_it(worker: Process) -> None:
    eventually(lambda: Worker.objects.filter(stopped_at=None).exists(), 15)
    row = Worker.objects.get()
    assert (row.pid, row.concurrency, row.pool) == (worker.pid, 2, "prefork")
    assert {"critical", "high", "normal", "low", "sample.high"} <= set(row.queues)
    assert row.expires_at > datetime.now(UTC)


def test_one_slot_runs_jobs_strictly_by_priority(
    live_process: LiveProcess, worker: Process, path: str, witness: Witness
) -> None:
    worker.terminate()
    labels = ["low", "normal", "high", "critical"] * 3
    for label in labels:
        submit("sample.work", {"path": path, "label": label}, priority=label)
    live_process(celery("worker", "--concurrency", "1", "-n", "single@%h"), name="single")
    eventually(lambda: len(witness()) == len(labels), 30)
    assert witness() == sorted(labels, key=["critical", "high", "normal", "low"].index)


def test_a_worker_takes_only_from_the_queues_it_listens_to(
    live_process: LiveProcess, worker: Process, path: str, witness: Witness
) -> None:
    worker.terminate()
    for priority in ("low", "high", "critical"):
        submit("sample.work", {"path": path, "label": priority}, priority=priority)
    submit("sample.own_queue", {"path": path, "label": "own"}, priority="high")
    live_process(
        celery("worker", "--concurrency", "1", "-n", "some@%h", "-Q", "high,sample.high"),
        name="some",
    )
    eventually(lambda: len(witness()) == 2, 30)
    submit("sample.work", {"path": path, "label": "second"}, priority="high")
    eventually(lambda: len(witness()) == 3, 30)
    assert set(witness()) == {"high", "own", "second"}
    assert Job.objects.filter(state="queued").count() == 2


def test_a_killed_worker_loses_no_job(
    live_process: LiveProcess, worker: Process, beat: Process, path: str, final: Final
) -> None:
    worker.terminate()
    beat.terminate()
    short = {"JOBSITE_LEASE_SECONDS": "2"}
    doomed = live_process(
        celery("worker", "--concurrency", "1", "-n", "doomed@%h"), name="doomed", env=short
    )
    job_id = submit("sample.work", {"path": path, "seconds": 3}).job_id
    eventually(lambda: get(job_id).state == "running", 30)
    os.killpg(doomed.pid, signal.SIGKILL)
    live_process(celery("worker", "--concurrency", "1", "-n", "next@%h"), name="next", env=short)
    live_process(celery("beat"), name="short-beat", env=short)
    job = final(job_id, 40)
    assert (job.state, job.run) == ("completed", 2)
    assert [each.outcome for each in history.attempts(job)] == ["lost", "completed"]
