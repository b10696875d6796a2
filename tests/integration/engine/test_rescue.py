"""What becomes of runs whose process or worker died."""

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from jobs.domain.events import Event
from jobs.domain.outcomes import Released
from jobs.models import Attempt, Job, Worker
from jobs.public import cancel, get, retry, submit
from jobs.services import rescue, workers
from jobs.services.finishing import finish
from jobs.services.rescue import Death
from jobs.services.taking import Taker, give_back, take

pytestmark = pytest.mark.usefixtures("memory")
QUEUES = ["critical", "high", "normal", "low"]


def registered(pid: int = 7) -> Taker:
    """A worker that has a row and a lease."""
    taker = Taker(worker_id=uuid4(), pid=pid)
    workers.renew(info(taker.worker_id))
    return taker


def info(worker_id: UUID | None, ailment: str = "") -> workers.WorkerInfo:
    assert worker_id is not None
    return workers.WorkerInfo(
        worker_id=worker_id, name="celery@here", host="here", pid=7, version="5",
        python_version="3", pool="prefork", queues=("normal",), concurrency=2,
        bounds=None, profile="", memory_bytes=None, ailment=ailment,
    )  # fmt: skip


def after_the_lease() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=31)


def test_jobs_of_a_worker_whose_lease_ran_out_run_again() -> None:
    job_id = submit("sample.echo").job_id
    take(registered(), QUEUES)
    assert rescue.reap() == 0
    assert rescue.reap(now=after_the_lease()) == 1
    job = get(job_id)
    assert (job.state, job.losses, job.attempt) == ("retrying", 1, 1)
    assert Worker.objects.get().stopped_at is not None
    assert Attempt.objects.get().outcome == "lost"


def test_a_worker_that_never_registered_loses_its_jobs_too() -> None:
    job_id = submit("sample.echo").job_id
    take(Taker(uuid4(), 7), QUEUES)
    assert rescue.reap() == 0
    assert rescue.reap(now=after_the_lease()) == 1
    assert get(job_id).state == "retrying"


def test_a_worker_that_comes_back_learns_that_it_was_believed_dead(
    events: list[Event], transactional_db: None
) -> None:
    taker = registered()
    assert workers.renew(info(taker.worker_id)) is True
    rescue.reap(now=after_the_lease())
    assert workers.renew(info(taker.worker_id)) is False
    assert workers.renew(info(taker.worker_id)) is True
    assert workers.renew(info(taker.worker_id, "hears nothing")) is True
    assert Worker.objects.get().stopped_at is None
    told = [(each.name, each.details.get("health")) for each in events]
    assert told == [
        ("worker_added", None),
        ("worker_health_changed", "alive"),
        ("worker_health_changed", "hears nothing"),
    ]


def test_after_three_losses_a_job_is_dead_with_what_is_known() -> None:
    job_id = submit("sample.echo").job_id
    for losses in (1, 2, 3):
        Job.objects.filter(pk=job_id).update(state="queued")
        (job,) = take(registered(), QUEUES)
        assert rescue.close_dead([job], Death("signal 11, SIGSEGV", job.pk, job.run)) == 1
        assert get(job_id).losses == losses
    job = get(job_id)
    assert (job.state, job.failure_reason, job.attempt) == ("failed", "worker_lost", 3)
    assert job.error == "signal 11, SIGSEGV"
    assert retry(job_id).losses == 0


def test_only_the_guilty_one_of_a_take_is_charged() -> None:
    ids = [submit("sample.echo").job_id for _ in range(3)]
    taken = take(registered(), QUEUES, limit=3)
    assert [job.pk for job in taken] == ids
    guilty = taken[1]
    assert rescue.close_dead(taken, Death("signal 9", guilty.pk, guilty.run)) == 3
    told = [(get(each).state, get(each).attempt, get(each).losses) for each in ids]
    assert told == [("queued", 0, 0), ("retrying", 1, 1), ("queued", 0, 0)]
    assert Attempt.objects.get().job_id == guilty.pk


def test_a_process_that_dies_between_two_jobs_charges_none() -> None:
    submit("sample.echo")
    taken = take(registered(), QUEUES)
    assert rescue.close_dead(taken, Death("signal 9")) == 1
    assert (get(taken[0].pk).state, get(taken[0].pk).attempt) == ("queued", 0)


def test_of_a_lost_workers_take_each_runs_alone_until_the_guilty_one_is_found() -> None:
    ids = [submit("sample.echo").job_id for _ in range(3)]
    take(registered(), QUEUES, limit=3)
    assert rescue.reap(now=after_the_lease()) == 3
    jobs = [get(each) for each in ids]
    assert [(job.state, job.attempt, job.losses, job.alone) for job in jobs] == [
        ("queued", 0, 0, True)
    ] * 3
    submit("sample.echo")
    (first,) = take(registered(), QUEUES, limit=10)
    assert first.pk == ids[0]
    assert rescue.reap(now=after_the_lease()) == 1
    assert (get(first.pk).losses, get(first.pk).attempt) == (1, 1)


def test_a_thread_pool_charges_a_job_that_is_lost_again() -> None:
    """There, jobs that run side by side look like one take."""
    ids = [submit("sample.echo").job_id for _ in range(2)]
    taker = registered()
    for _ in ids:
        take(taker, QUEUES)
    rescue.reap(now=after_the_lease())
    assert [get(each).losses for each in ids] == [0, 0]
    taker = registered()
    for _ in ids:
        take(taker, QUEUES)
    rescue.reap(now=after_the_lease())
    assert [get(each).losses for each in ids] == [1, 1]


@pytest.mark.parametrize(
    ("verdict", "state", "reason", "outcome"),
    [
        ("timeout", "retrying", "", "timeout"),
        ("cancelled", "cancelled", "", "cancelled"),
        ("stopping", "queued", "", "released"),
        ("memory", "retrying", "", "lost"),
    ],
)
def test_a_process_that_its_parent_killed_ends_its_job_by_the_verdict(
    verdict: str, state: str, reason: str, outcome: str
) -> None:
    submit("sample.echo")
    (job,) = take(registered(), QUEUES)
    rescue.close_dead([job], Death("killed: 12 MB", job.pk, job.run, verdict))
    job = get(job.pk)
    assert (job.state, job.failure_reason) == (state, reason)
    assert Attempt.objects.get().outcome == outcome


def test_what_a_stopping_worker_leaves_is_handed_on_with_no_attempt_spent() -> None:
    taker = registered()
    submit("sample.echo")
    (job,) = take(taker, QUEUES)
    assert taker.worker_id is not None
    assert rescue.hand_on(taker.worker_id) == [job.pk]
    assert rescue.hand_on(taker.worker_id) == []
    assert (get(job.pk).state, get(job.pk).attempt) == ("queued", 0)
    assert finish(job, Released("late")) is False


def test_what_was_not_begun_is_given_back_unless_someone_cancelled_it() -> None:
    ids = [submit("sample.echo").job_id for _ in range(3)]
    taken = take(Taker(None, os.getpid()), QUEUES, limit=3)
    cancel(ids[1])
    Job.objects.filter(pk=ids[2]).update(run=9)  # replaced by another run
    assert give_back(taken) == 1
    told = [(get(each).state, get(each).attempt) for each in ids]
    assert told == [("queued", 0), ("cancelled", 1), ("running", 1)]
    assert not Attempt.objects.filter(job_id=ids[0]).exists()
