"""What holds on every database with every broker: one contract, held on each pair in turn.

`make test` holds it on SQLite with the embedded Redis, PostgreSQL with Redis, PostgreSQL with
RabbitMQ, and SQLite with RabbitMQ.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from celery import current_app
from django.db import connection, transaction

from jobs.backends.celery import CeleryBackend
from jobs.domain.outcomes import Completed, Lost, Retrying
from jobs.domain.ports import Backend
from jobs.models import Job
from jobs.public import cancel, get, pause_queue, ping_broker, resume_queue, stats, submit
from jobs.services.doorbell import ring, waiting_rings
from jobs.services.finishing import finish
from jobs.services.taking import Taker, take
from tests.acceptance.conftest import Final
from tests.stack import Process, Stack, eventually

QUEUES = ["critical", "high", "normal", "low"]


@pytest.fixture
def silent(stack: Stack, transactional_db: None) -> None:
    """No ring waits, and nobody listens."""
    stack.wipe_broker()


def taker() -> Taker:
    return Taker(uuid4(), 1)


class TestRinging:
    """The back end: `celery` on the broker of the run."""

    def test_it_answers(self, stack: Stack) -> None:
        backend: Backend = CeleryBackend()
        backend.ping()
        ping_broker()

    def test_a_ring_waits_until_it_is_heard(self, silent: None) -> None:
        assert waiting_rings({"low", "high"}) == set()
        ring({"low"})
        eventually(lambda: waiting_rings({"low", "high"}) == {"low"}, 5)

    def test_a_submission_rings_after_its_commit(self, silent: None) -> None:
        with transaction.atomic():
            submit("sample.echo", priority="low")
            assert waiting_rings({"low"}) == set()
        eventually(lambda: waiting_rings({"low"}) == {"low"}, 5)

    def test_a_rollback_rings_nothing(self, silent: None) -> None:
        with transaction.atomic():
            submit("sample.echo", priority="low")
            transaction.set_rollback(True)
        assert waiting_rings({"low"}) == set()


@pytest.mark.usefixtures("silent")
class TestTheQueue:
    """The rows: put in, taken in batches, acknowledged, failed, looked up."""

    def test_a_batch_is_no_larger_than_asked_for_and_best_first(self) -> None:
        for priority in ("low", "normal", "critical", "high", "normal"):
            submit("sample.echo", priority=priority)
        taken = take(taker(), QUEUES, limit=3)
        assert [job.priority_label for job in taken] == ["critical", "high", "normal"]
        assert {job.state for job in taken} == {"running"}
        assert len(take(taker(), QUEUES, limit=100)) == 2
        assert take(taker(), QUEUES, limit=100) == []

    def test_what_is_acknowledged_is_final_and_known_to_all(self) -> None:
        job_id = submit("sample.echo").job_id
        (job,) = take(taker(), QUEUES)
        assert finish(job, Completed({"rows": 3}))
        assert (get(job_id).state, get(job_id).result) == ("completed", {"rows": 3})
        assert stats()["completed"] == 1

    def test_what_fails_waits_for_its_next_attempt(self) -> None:
        job_id = submit("sample.echo").job_id
        (job,) = take(taker(), QUEUES)
        assert finish(job, Retrying(timedelta(hours=1), ValueError("no")))
        job = get(job_id)
        assert (job.state, job.error) == ("retrying", "no")
        assert timedelta(minutes=59) < job.run_at - datetime.now(UTC) < timedelta(minutes=61)
        assert take(taker(), QUEUES) == []

    def test_what_is_not_acknowledged_is_taken_again_and_the_late_one_refused(self) -> None:
        job_id = submit("sample.echo").job_id
        (late,) = take(taker(), QUEUES)
        assert finish(late, Lost("its worker was lost", 1, timedelta(0)))
        Job.objects.filter(pk=job_id).update(state="queued")
        (current,) = take(taker(), QUEUES)
        assert not finish(late, Completed("late"))
        assert finish(current, Completed("current"))
        assert get(job_id).result == "current"

    def test_takers_never_share_a_job(self) -> None:
        ids = {submit("sample.echo").job_id for _ in range(60)}

        def take_all(_: int) -> list[UUID]:
            taken: list[UUID] = []
            try:
                while batch := take(taker(), QUEUES, limit=7):
                    taken += [job.pk for job in batch]
            finally:
                connection.close()
            return taken

        with ThreadPoolExecutor(8) as pool:
            taken = [job_id for each in pool.map(take_all, range(8)) for job_id in each]
        assert sorted(taken) == sorted(ids)

    def test_a_paused_queue_and_a_cancelled_job_are_not_taken(self) -> None:
        submit("sample.echo", priority="low")
        pause_queue("low", actor="ada")
        cancelled = submit("sample.echo").job_id
        cancel(cancelled)
        assert take(taker(), QUEUES, limit=10) == []
        resume_queue("low", actor="ada")
        assert len(take(taker(), QUEUES, limit=10)) == 1


class TestAWorker:
    """A real worker and a real beat."""

    def test_it_runs_jobs_now_later_and_again(
        self, worker: Process, beat: Process, final: Final
    ) -> None:
        now = submit("sample.echo", {"value": 1}).job_id
        later = submit("sample.echo", {"value": 2}, delay=timedelta(seconds=1)).job_id
        failing = submit("sample.trouble", {"kind": "retry"}, max_attempts=2).job_id
        assert [final(each, 30).state for each in (now, later, failing)] == [
            "completed", "completed", "failed",
        ]  # fmt: skip
        assert get(failing).attempt == 2

    def test_any_celery_client_submits_by_the_types_name(
        self, worker: Process, final: Final
    ) -> None:
        current_app.send_task("sample.echo", kwargs={"value": "sent"}, queue="normal")
        job = eventually(lambda: Job.objects.filter(trigger="task").first(), 20)
        assert final(job.pk, 20).result == "sent"

    def test_it_goes_on_when_the_broker_comes_back(
        self, stack: Stack, worker: Process, beat: Process, final: Final
    ) -> None:
        final(submit("sample.echo").job_id, 20)
        stack.stop_broker()
        try:
            job_id = submit("sample.echo").job_id
        finally:
            stack.start_broker()
        assert final(job_id, 40).state == "completed"
        assert worker.returncode is None
