"""Jobs go to the workers that the strategy chooses, and a worker that is gone keeps none."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
import redis
from pytest_django import Settings

from jobs.domain.balancing import Strategy
from jobs.models import Worker
from jobs.public import get, submit
from jobs.selectors.clock import database_now
from jobs.services import doorbell
from jobs.services.doorbell import waiting_rings
from tests.acceptance.conftest import Final
from tests.conftest import LiveProcess
from tests.stack import Process, Stack, eventually
from tests.stack.run import celery

Start = Callable[..., dict[str, Process]]
pytestmark = [pytest.mark.once, pytest.mark.usefixtures("transactional_db")]


@pytest.fixture
def balanced(settings: Settings) -> Iterator[Callable[[Strategy], None]]:
    """Have this process ring by a strategy, as a web process does."""

    def by(strategy: Strategy) -> None:
        settings.JOBS = {**settings.JOBS, "BALANCING": strategy}
        doorbell._load.cache_clear()

    yield by
    doorbell._load.cache_clear()


@pytest.fixture
def start(live_process: LiveProcess, stack: Stack) -> Iterator[Start]:
    """Start workers of so many slots, at once, and wait until each is a row."""
    started: dict[str, Process] = {}

    def workers(strategy: Strategy, **slots: int) -> dict[str, Process]:
        stack.wipe_broker()
        for name, count in slots.items():
            command = celery("worker", "--pool", "threads", "-c", str(count), "-n", f"{name}@%h")
            env = {"JOBSITE_BALANCING": strategy}
            started[name] = live_process(command, name=name, env=env)
        for process in started.values():
            process.wait_for("ready.", 60)
        eventually(lambda: Worker.objects.count() == len(slots), 30, what="each to have its row")
        return started

    yield workers
    for process in started.values():
        process.kill()  # not in order: some are at long jobs


def where(job_id: UUID) -> str:
    """Return the short name of the worker that runs the job, or ran it; empty before."""
    worker_id = get(job_id).worker_id
    if worker_id is None:
        return ""
    return Worker.objects.get(pk=worker_id).name.partition("@")[0]


def one_by_one(final: Final, count: int) -> Counter[str]:
    """Submit jobs, each when the one before is over and known to be; return how many ran where."""
    ran: Counter[str] = Counter()
    for _ in range(count):
        ran[where(final(submit("sample.echo").job_id).pk)] += 1
        time.sleep(0.06)  # a bell counts as a slot for 50 ms, and `a` has only one
    return ran


def test_workers_take_in_turns_or_in_proportion_to_their_slots(
    balanced: Callable[[Strategy], None], start: Start, final: Final
) -> None:
    start("round_robin", a=1, b=2, c=3)
    balanced("round_robin")
    ran = one_by_one(final, 30)
    assert all(abs(ran[name] - 10) <= 3 for name in "abc"), ran
    balanced("weighted")
    ran = one_by_one(final, 36)
    assert all(abs(ran[name] - due) <= 3 for name, due in {"a": 6, "b": 12, "c": 18}.items()), ran


def test_the_least_loaded_take_and_a_burst_is_spread(
    balanced: Callable[[Strategy], None], start: Start, final: Final, path: str
) -> None:
    start("least_loaded", a=2, b=2, c=2)
    balanced("least_loaded")
    long = submit("sample.work", {"path": path, "seconds": 60}).job_id
    busy = eventually(lambda: where(long), 15)
    ran: Counter[str] = Counter()
    for _ in range(10):  # each longer than what is known of the workers is gone by
        job_id = submit("sample.work", {"path": path, "seconds": 0.3}).job_id
        ran[where(final(job_id).pk)] += 1
    # It has a free slot, but is not the least loaded.
    assert ran[busy] <= 1, (busy, ran)
    assert all(ran[name] >= 3 for name in {"a", "b", "c"} - {busy}), (busy, ran)
    burst = [submit("sample.work", {"path": path, "seconds": 60}).job_id for _ in range(5)]
    eventually(lambda: all(where(each) for each in burst), 10, what="each free slot to be used")
    assert Counter(map(where, [long, *burst])) == {"a": 2, "b": 2, "c": 2}


@pytest.mark.long
def test_no_job_waits_for_a_worker_that_was_killed(
    balanced: Callable[[Strategy], None], beat: Process, start: Start, final: Final
) -> None:
    workers = start("round_robin", a=1, b=1)
    balanced("round_robin")
    assert set(one_by_one(final, 6)) == {"a", "b"}
    workers["a"].kill()
    waited = []
    for _ in range(6):
        job = final(submit("sample.echo").job_id)
        assert where(job.pk) == "b"
        assert job.started_at is not None
        waited.append(job.started_at - job.created_at)
    assert max(waited) < timedelta(seconds=3)
    # Every second bell went to the dead one, and the timekeeper rang again.
    assert sum(each > timedelta(seconds=0.9) for each in waited) >= 2


@pytest.mark.long
def test_bells_for_a_worker_that_is_gone_do_not_stay(
    balanced: Callable[[Strategy], None], stack: Stack
) -> None:
    stack.wipe_broker()
    now = database_now()
    Worker.objects.create(
        name="gone@host", host="host", pid=1, pool="prefork", queues=["normal"], concurrency=1,
        started_at=now, seen_at=now, expires_at=now + timedelta(seconds=30),
    )  # fmt: skip
    balanced("round_robin")
    submit("sample.echo")
    assert waiting_rings({"normal"}) == set()
    with redis.Redis.from_url(stack.redis_url, decode_responses=True) as client:
        assert client.keys("jobsite:gone@*") == ["jobsite:gone@host.direct"]
        assert 0 < client.ttl("jobsite:gone@host.direct") <= 60
        bound = [client.smembers(key) for key in client.keys("*_kombu.binding.*")]
        assert "gone@host" not in str(bound)


def test_a_bell_that_nobody_is_chosen_for_waits_in_the_shared_queue(
    balanced: Callable[[Strategy], None], stack: Stack
) -> None:
    stack.wipe_broker()
    balanced("least_loaded")
    submit("sample.echo", priority="low")
    assert waiting_rings({"low"}) == {"low"}
