"""RQ."""

import os

from redis import Redis
from rq import Queue
from rq.registry import FailedJobRegistry, StartedJobRegistry

from benchmarks.peers.record import record

DISTRIBUTION = "rq"
queue = Queue(connection=Redis.from_url(os.environ["PEERS_REDIS"]))


def prepare() -> None:
    """Nothing is needed."""


def submit(sent: float) -> None:
    """Submit one job."""
    queue.enqueue(record, sent)


def submit_many(times: list[float]) -> None:
    """Submit in batches of 1,000, in one pipeline each."""
    for begin in range(0, len(times), 1000):
        queue.enqueue_many(
            [Queue.prepare_data(record, (sent,)) for sent in times[begin : begin + 1000]]
        )


def left() -> int:
    """Return how many wait, run or have failed."""
    running = StartedJobRegistry(queue=queue).count
    return int(queue.count + running + FailedJobRegistry(queue=queue).count)
