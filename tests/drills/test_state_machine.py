"""The life of jobs as a state machine: whatever happens in whatever order, the promise holds.

`DRILL_EXAMPLES` says how many histories are tried; `make drills` tries 2,000.
"""

import os
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from jobs.domain.errors import InvalidTransition
from jobs.domain.outcomes import Completed, Failed, Outcome, Retrying, Snoozed
from jobs.domain.states import FINAL, FailureReason, State
from jobs.models import Attempt, Job, Queue, Worker
from jobs.services import expiry, finishing, queues, rescue, steering, taking, timekeeping, workers
from jobs.services.submission import submit
from jobs.services.taking import Taker
from tests.integration.engine.test_rescue import info

EXAMPLES = int(os.environ.get("DRILL_EXAMPLES", "60"))
QUEUES = ["critical", "high", "normal", "low"]
PRIORITIES = st.sampled_from(QUEUES)
ERROR = ValueError("drill")
OUTCOMES: st.SearchStrategy[Outcome] = st.sampled_from(
    [
        Completed({"done": True}),
        Failed(FailureReason.PERMANENT_ERROR, ERROR),
        Retrying(timedelta(seconds=5), ERROR),
        Snoozed(timedelta(seconds=5), "later"),
    ]
)


class Life(RuleBasedStateMachine):
    """Submit, take, crash, expire, finish, cancel, retry, redeliver, in any order."""

    #: What a worker holds: jobs as it took them, fresh or stale.
    runs = Bundle("runs")
    takers = Bundle("takers")

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime.now(UTC)
        self.ids: set[UUID] = set()
        #: Completions that were accepted, a job and the number of retries by hand before it.
        self.completed: dict[UUID, int] = {}
        self.retries: dict[UUID, int] = {}

    @initialize()
    def empty(self) -> None:
        for model in (Attempt, Job, Worker, Queue):
            model.objects.all().delete()

    @initialize(target=takers)
    def workers_start(self) -> Any:
        return multiple(self._register(), self._register())

    def _register(self) -> Taker:
        taker = Taker(uuid4(), 7)
        assert taker.worker_id is not None
        workers.renew(info(taker.worker_id))
        Worker.objects.filter(pk=taker.worker_id).update(
            expires_at=self.now + timedelta(seconds=30)
        )
        return taker

    @rule(
        priority=PRIORITIES,
        delay=st.sampled_from([None, timedelta(seconds=3)]),
        expires=st.sampled_from([None, timedelta(seconds=8)]),
        key=st.sampled_from([None, "a", "b"]),
    )
    def submit(self, priority: str, delay: Any, expires: Any, key: Any) -> None:
        done = submit(
            "sample.echo", priority=priority, delay=delay, expires_in=expires, idempotency_key=key
        )
        assert done.duplicate == (done.job_id in self.ids)
        self.ids.add(done.job_id)

    @rule(priority=PRIORITIES)
    def submission_is_rolled_back(self, priority: str) -> None:
        with transaction.atomic():
            submit("sample.echo", priority=priority)
            transaction.set_rollback(True)

    @rule(target=runs, taker=takers, limit=st.integers(1, 4))
    def take(self, taker: Taker, limit: int) -> Any:
        waiting = Job.objects.filter(state=State.QUEUED).exclude(
            queue__in=Queue.objects.filter(paused_at__isnull=False).values("name")
        )
        best = waiting.order_by("priority", "id").first()
        taken = taking.take(taker, QUEUES, limit=limit, now=self.now)
        assert len(taken) <= limit
        if taken and best is not None and not best.expires_at:
            assert taken[0].pk == best.pk
        assert len(taken) == 1 or not any(job.alone for job in taken)
        return multiple(*taken)

    @rule(run=runs, outcome=OUTCOMES)
    def finish(self, run: Job, outcome: Outcome) -> None:
        before = Job.objects.get(pk=run.pk)
        current = (before.state, before.run, before.worker_id) == (
            State.RUNNING, run.run, run.worker_id,
        )  # fmt: skip
        recorded = finishing.finish(run, outcome, now=self.now)
        assert recorded == current
        if recorded and Job.objects.get(pk=run.pk).state == State.COMPLETED:
            self.completed[run.pk] = self.completed.get(run.pk, 0) + 1

    @rule(run=consumes(runs))
    def give_back(self, run: Job) -> None:
        taking.give_back([run])

    @rule(run=runs)
    def its_process_dies(self, run: Job) -> None:
        rows = (
            [job for job in rescue.running_of(run.worker_id) if job.run == run.run]
            if (run.worker_id)
            else []
        )
        rescue.close_dead(rows, rescue.Death("signal 9", run.pk, run.run))

    @rule(target=runs, run=runs)
    def its_process_dies_and_its_worker_takes_again(self, run: Job) -> Any:
        """The quickest way to two runs of one job in one worker, of which one is stale."""
        self.its_process_dies(run)
        self.time_passes(6)
        return multiple(*taking.take(Taker(run.worker_id, 8), QUEUES, limit=2, now=self.now))

    @rule(seconds=st.sampled_from([1, 6, 40]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        timekeeping.promote_due(now=self.now)
        expiry.expire_overdue(now=self.now)
        rescue.reap(now=self.now)

    @rule(taker=takers)
    def lease_is_renewed(self, taker: Taker) -> None:
        assert taker.worker_id is not None
        workers.renew(info(taker.worker_id))
        Worker.objects.filter(pk=taker.worker_id).update(
            expires_at=self.now + timedelta(seconds=30)
        )

    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        if self.ids:
            job_id = data.draw(st.sampled_from(sorted(self.ids)))
            state = Job.objects.get(pk=job_id).state
            try:
                steering.cancel(job_id, actor="drill", now=self.now)
            except InvalidTransition:
                assert state in (State.COMPLETED, State.FAILED)

    @rule(data=st.data())
    def retry(self, data: Any) -> None:
        if self.ids:
            job_id = data.draw(st.sampled_from(sorted(self.ids)))
            state = Job.objects.get(pk=job_id).state
            try:
                steering.retry(job_id, actor="drill", now=self.now)
            except InvalidTransition:
                assert state not in (State.FAILED, State.CANCELLED)

    @rule(name=PRIORITIES, on=st.booleans())
    def pause_or_resume(self, name: str, on: bool) -> None:
        (queues.pause if on else queues.resume)(name, actor="drill", now=self.now)

    @invariant()
    def nothing_is_lost(self) -> None:
        assert set(Job.objects.values_list("pk", flat=True)) == self.ids

    @invariant()
    def nothing_is_completed_twice(self) -> None:
        assert all(count == 1 for count in self.completed.values())

    @invariant()
    def every_row_makes_sense(self) -> None:
        for job in Job.objects.all():
            final = job.state in FINAL
            assert final == (job.finished_at is not None)
            assert 0 <= job.attempt <= job.run
            assert (job.state != State.FAILED) or job.failure_reason
            assert job.state != State.RUNNING or job.worker_id is not None
            assert job.losses < 3 or job.failure_reason == FailureReason.WORKER_LOST

    def teardown(self) -> None:
        """Let everything end: no job may be left that nothing moves on."""
        Queue.objects.update(paused_at=None)
        for _ in range(60):
            self.now += timedelta(minutes=10)
            rescue.reap(now=self.now)
            expiry.expire_overdue(now=self.now)
            timekeeping.promote_due(now=self.now)
            taker = self._register()
            for job in taking.take(taker, QUEUES, limit=50, now=self.now):
                finishing.finish(job, Completed(1), now=self.now)
            if not Job.objects.exclude(state__in=FINAL).exists():
                break
        assert not Job.objects.exclude(state__in=FINAL).exists()
        super().teardown()


@pytest.mark.every_pair
@pytest.mark.quick
@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("memory_backend")
def test_whatever_happens_the_promise_holds() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("on SQLite: the rules are the same, and thousands of histories quicker")
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
