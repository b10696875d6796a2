"""huey on Redis."""

import os

from huey import RedisHuey

from benchmarks.peers import record

DISTRIBUTION = "huey"
huey = RedisHuey(url=os.environ["PEERS_REDIS"])


@huey.task()
def job(sent: float) -> None:
    """Do nothing but say so."""
    record.record(sent)


def prepare() -> None:
    """Nothing is needed."""


def submit(sent: float) -> None:
    """Submit one job."""
    job(sent)


def left() -> int:
    """Return how many wait; one that runs is in no queue."""
    return int(huey.pending_count())
