"""What people ask of a running site holds: cancel, pause, expiry; and what must not stop it."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from celery import current_app

from jobs.models import Attempt, Job, Leadership, Worker
from jobs.public import cancel, get, pause_queue, resume_queue, submit
from tests.acceptance.conftest import Final
from tests.conftest import LiveProcess
from tests.stack import Process, Stack, eventually
from tests.stack.run import celery

Witness = Callable[[], list[str]]


def started(label: str, witness: Witness) -> None:
    eventually(lambda: any(line.startswith(label) for line in witness()), 20)


class TestCancelling:
    def test_a_handler_that_reports_nothing_is_interrupted(
        self, worker: Process, path: str, witness: Witness, final: Final
    ) -> None:
        job_id = submit("sample.silent", {"path": path, "label": "a", "seconds": 60}).job_id
        started("a:begin", witness)
        cancel(job_id)
        job = final(job_id, 15)
        assert (job.state, job.attempt) == ("cancelled", 1)
        assert witness() == ["a:begin", "a:JobCancelled"]
        assert final(submit("sample.echo").job_id).state == "completed"

    def test_one_that_swallows_the_interruption_is_killed(
        self, worker: Process, path: str, witness: Witness, final: Final
    ) -> None:
        job_id = submit("sample.deaf_to_orders", {"path": path, "label": "b"}).job_id
        started("b", witness)
        cancel(job_id)
        job = final(job_id, 25)
        assert (job.state, job.failure_reason) == ("cancelled", "")
        assert job.error == "killed: it ran on after it was asked to stop"
        assert not psutil.pid_exists(job.pid or 0)
        assert final(submit("sample.echo").job_id, 20).state == "completed"


class TestPausing:
    def test_nothing_begins_until_the_queue_goes_on(
        self, worker: Process, beat: Process, path: str, witness: Witness, final: Final
    ) -> None:
        running = submit("sample.work", {"path": path, "label": "runs", "seconds": 3}).job_id
        started("runs", witness)
        pause_queue("normal", actor="ada")
        waiting = submit("sample.work", {"path": path, "label": "waits"}).job_id
        urgent = submit("sample.echo", priority="high").job_id
        assert final(urgent).state == "completed"
        assert final(running).state == "completed"  # what runs goes on
        assert get(waiting).state == "queued"
        assert witness() == ["runs"]
        resume_queue("normal", actor="ada")
        job = final(waiting, 10)
        assert job.started_at is not None


class TestTime:
    def test_without_a_beat_a_worker_keeps_time(self, worker: Process, final: Final) -> None:
        eventually(
            lambda: Leadership.objects.filter(holder__contains=f":{worker.pid}:").exists(), 30
        )
        delayed = submit("sample.echo", delay=timedelta(seconds=1)).job_id
        retried = submit("sample.trouble", {"kind": "retry"}, max_attempts=2).job_id
        assert final(delayed).state == "completed"
        assert final(retried).attempt == 2

    def test_a_job_expires_with_a_worker_too_busy_for_it(
        self, worker: Process, beat: Process, final: Final
    ) -> None:
        pause_queue("low", actor="ada")
        job = final(submit("sample.echo", priority="low", expires_in=timedelta(seconds=1)).job_id)
        assert (job.state, job.failure_reason, job.attempt) == ("failed", "expired", 0)


@pytest.mark.usefixtures("transactional_db")
class TestWorkers:
    def test_what_a_child_died_of_is_told(
        self, worker: Process, beat: Process, path: str, witness: Witness, final: Final
    ) -> None:
        job_id = submit("sample.silent", {"path": path, "label": "c", "seconds": 2}).job_id
        started("c:begin", witness)
        os.kill(get(job_id).pid or 0, signal.SIGKILL)
        assert final(job_id, 20).state == "completed"
        (lost,) = Attempt.objects.filter(job_id=job_id)
        assert "signal 9, SIGKILL" in lost.error
        assert "MB when last seen" in lost.error

    def test_a_child_that_has_grown_is_replaced_after_its_job(
        self, stack: Stack, live_process: LiveProcess, final: Final
    ) -> None:
        live_process(
            celery("worker", "--concurrency", "1", "-n", "small@%h"),
            name="small",
            env={"JOBSITE_MAX_MEMORY_MB": "1"},
        )
        pids = {final(submit("sample.echo").job_id, 30).pid for _ in range(3)}
        assert len(pids) == 3

    def test_what_a_process_never_learnt_of_is_released(
        self, worker: Process, final: Final
    ) -> None:
        """Its take was committed, and the database went away before it said so."""
        known = final(submit("sample.echo").job_id, 30)
        stray = submit("sample.echo", delay=timedelta(hours=1)).job_id
        began = datetime.now(UTC) - timedelta(seconds=10)
        Job.objects.filter(pk=stray).update(
            state="running", run=1, attempt=1, run_at=began, started_at=began,
            worker_id=known.worker_id, pid=known.pid,
        )  # fmt: skip
        job = final(stray, 30)
        assert (job.state, job.run, job.attempt) == ("completed", 2, 1)
        assert "strays_released" in worker.output()

    def test_a_row_tells_what_a_worker_is(self, worker: Process) -> None:
        row = eventually(lambda: Worker.objects.filter(pid=worker.pid).first(), 15)
        assert (row.pool, row.concurrency, row.ailment) == ("prefork", 2, "")
        assert row.python_version.startswith("3.")
        assert row.memory_bytes is not None
        assert row.memory_bytes > 20 * 2**20

    @pytest.mark.once
    def test_one_that_hears_nothing_any_more_leaves(
        self, stack: Stack, live_process: LiveProcess, beat: Process, final: Final
    ) -> None:
        deaf = live_process(
            celery("worker", "--concurrency", "1", "-n", "deaf@%h"),
            name="deaf",
            env={"JOBSITE_LEASE_SECONDS": "3"},
        )
        final(submit("sample.echo").job_id, 30)
        # Its consumer is there and its heart beats; only, nothing is delivered to it any more.
        current_app.control.broadcast("go_deaf", destination=[f"deaf@{os.uname().nodename}"])
        deaf.wait_for("went deaf", 15)
        job_id = submit("sample.echo").job_id
        assert deaf.wait(60) == 0
        assert "worker_deaf" in deaf.output()
        assert get(job_id).state == "queued"
        row = Worker.objects.get(pid=deaf.pid)
        assert row.stopped_at is not None
        assert "not heard one" in row.ailment

    @pytest.mark.once
    def test_one_that_cannot_see_its_processes_leaves(
        self, stack: Stack, live_process: LiveProcess, final: Final
    ) -> None:
        blind = live_process(
            celery("worker", "--concurrency", "1", "-n", "blind@%h"),
            name="blind",
            env={"JOBSITE_LEASE_SECONDS": "3"},
        )
        final(submit("sample.echo").job_id, 30)
        (slots,) = Path(tempfile.gettempdir()).glob(f"jobsite-worker-{blind.pid}-*")
        shutil.rmtree(slots)
        slots.touch()  # it cannot be listed, nor made again
        try:
            assert blind.wait(30) == 0
        finally:
            slots.unlink()
        assert "worker_blind" in blind.output()
        row = Worker.objects.get(pid=blind.pid)
        assert row.stopped_at is not None
        assert "not been able to see" in row.ailment

    @pytest.mark.once
    def test_one_that_does_not_come_to_its_end_is_ended(
        self, stack: Stack, live_process: LiveProcess, final: Final
    ) -> None:
        stuck = live_process(
            celery("worker", "--concurrency", "1", "-n", "stuck@%h"),
            name="stuck",
            env={"WORKER_SHUTDOWN_SECONDS": "2"},
        )
        final(submit("sample.echo").job_id, 30)
        current_app.control.broadcast("go_stuck", destination=[f"stuck@{os.uname().nodename}"])
        stuck.wait_for("went stuck", 15)
        began = time.monotonic()
        os.kill(stuck.pid, signal.SIGTERM)
        assert stuck.wait(15) == 0
        assert time.monotonic() - began < 10  # the two seconds, and what Celery gets after them
        assert "worker_hangs" in stuck.output()
        assert Worker.objects.get(pid=stuck.pid).stopped_at is not None


@pytest.mark.usefixtures("worker")
def test_rings_that_make_no_sense_stop_no_worker(
    worker: Process, beat: Process, final: Final
) -> None:
    current_app.send_task("jobs.doorbell", args=[{"v": 9}], kwargs={"x": 1}, queue="normal")
    current_app.send_task("jobs.gone", queue="normal")
    with current_app.connection_for_write() as connection:
        producer = connection.Producer()
        headers = {"id": "1", "task": "jobs.doorbell"}
        for kind in ("application/json", "application/x-python-serialize"):
            producer.publish(b"\xff", routing_key="normal", headers=headers, content_type=kind)
    for _ in range(4):
        assert final(submit("sample.echo").job_id).state == "completed"
    assert worker.returncode is None
    assert Job.objects.count() == 4
