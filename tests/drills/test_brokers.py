"""The broker goes, freezes, forgets, repeats or is full: the rows know better."""

import random
import signal
import time

import pytest
import redis
from celery import current_app

from jobs.models import Job, Queue
from jobs.public import pause_queue
from tests.drills.conftest import Start
from tests.drills.drill import Drill
from tests.stack import Stack, eventually

quick = pytest.mark.quick


def submitting_takes(drill: Drill) -> float:
    began = time.monotonic()
    drill.submit(params={"seconds": 0.01})
    return time.monotonic() - began


@pytest.mark.drill_of(3, "the broker restarted without its data")
def test_the_broker_comes_back_empty(
    drill: Drill, stack: Stack, start_worker: Start, start_beat: Start
) -> None:
    start_beat()
    worker = start_worker()
    drill.submit(200, params={"seconds": 0.05})
    eventually(lambda: drill.witness.count("effect").total() >= 20, 20)
    stack.wipe_broker()
    stack.stop_broker()
    drill.disturbed()
    stack.start_broker()
    drill.account(within=15 + 10)  # ten seconds of work are left
    assert worker.returncode is None


@pytest.mark.timeout(240)
@pytest.mark.drill_of("3b", "the broker away for a minute and a half")
def test_the_broker_is_away_for_long(
    drill: Drill, stack: Stack, start_worker: Start, start_beat: Start
) -> None:
    start_beat()
    worker = start_worker()
    stack.stop_broker()
    back = time.monotonic() + 93
    drill.submit(20, params={"seconds": 0.01})
    eventually(lambda: time.monotonic() > back, 98)
    stack.start_broker()
    drill.disturbed()
    drill.account(within=15)
    assert worker.returncode is None


@pytest.mark.every_pair
@quick
@pytest.mark.drill_of(4, "everything in the broker is gone, with 500 jobs queued")
def test_the_broker_forgets(
    drill: Drill, stack: Stack, start_worker: Start, start_beat: Start
) -> None:
    start_beat()
    start_worker()
    # Queued, and no worker at them: as soon as the queue goes on, nobody has been told.
    pause_queue("normal", actor="drill")
    drill.submit(500, params={"seconds": 0})
    stack.wipe_broker()
    drill.disturbed()
    Queue.objects.update(paused_at=None)
    eventually(lambda: Job.objects.filter(state="completed").count() > 0, 5)
    drill.account(within=30)


@pytest.mark.drill_of(5, "the broker is down, then frozen, while jobs are submitted")
def test_submitting_without_a_broker(
    drill: Drill, stack: Stack, start_worker: Start, start_beat: Start
) -> None:
    start_beat()
    start_worker()
    submitting_takes(drill)
    stack.stop_broker()
    down = [submitting_takes(drill) for _ in range(3)]
    stack.start_broker()
    drill.disturbed()
    drill.name = "the broker is down while jobs are submitted"
    drill.account(within=10)

    stack.signal_broker(signal.SIGSTOP)
    try:
        time.sleep(6)  # until this process no longer remembers that the broker was away
        frozen = [submitting_takes(drill) for _ in range(4)]
    finally:
        stack.signal_broker(signal.SIGCONT)
    drill.disturbed()
    assert max(down) < 1
    assert sorted(frozen)[-1] < 2.5
    assert sorted(frozen)[-2] < 1
    drill.name = "the broker is frozen while jobs are submitted"
    drill.account(within=10)


@pytest.mark.drill_of(16, "the broker is full")
def test_a_full_broker(
    drill: Drill, stack: Stack, start_worker: Start, start_beat: Start, redis_url: str
) -> None:
    start_beat()
    start_worker()
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
        try:
            with pytest.raises(redis.exceptions.OutOfMemoryError):
                client.set("full", "?")
            drill.submit(20, params={"seconds": 0.01})
            # There, whether anyone has heard of them or not.
            assert Job.objects.filter(pk__in=drill.ids).count() == 20
        finally:
            client.config_set("maxmemory", 0)
    drill.disturbed()
    drill.account()


@pytest.mark.every_pair
@quick
@pytest.mark.drill_of(18, "every message three times, and shuffled")
def test_messages_that_are_repeated(drill: Drill, start_worker: Start, start_beat: Start) -> None:
    queues = ["normal", "low", "high", "critical"]
    for count in range(200):
        drill.submit(params={"seconds": 0.005}, priority=queues[count % 4])
    rings = [queue for queue in queues for _ in range(150)]
    random.Random(18).shuffle(rings)
    for queue in rings:
        current_app.send_task("jobs.doorbell", queue=queue, retry=False)
    # And such as no version of ours sends: stale, of another version, for a queue nobody has.
    current_app.send_task("jobs.doorbell", args=[1, {"job": 7}], kwargs={"v": 2}, queue="normal")
    current_app.send_task("jobs.gone", queue="normal")
    with current_app.connection_for_write() as connection:
        producer = connection.Producer()
        bodies = {
            "application/json": b"\xff not json",
            "application/x-python-serialize": b"\x80\x04.",
        }
        for kind, body in bodies.items():
            told = {"id": "1", "task": "jobs.doorbell"}
            producer.publish(body, routing_key="normal", headers=told, content_type=kind)
    drill.disturbed()
    start_beat()
    worker = start_worker("--concurrency", "3")
    drill.account(within=60, runs_at_most=1)
    assert worker.returncode is None
