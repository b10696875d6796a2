"""dramatiq with its Redis broker."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.peers import record

DISTRIBUTION = "dramatiq"
broker = RedisBroker(url=os.environ["PEERS_REDIS"])
dramatiq.set_broker(broker)


@dramatiq.actor
def job(sent: float) -> None:
    """Do nothing but say so."""
    record.record(sent)


def prepare() -> None:
    """Nothing is needed."""


def submit(sent: float) -> None:
    """Submit one job."""
    job.send(sent)


def left() -> int:
    """Return how many are not acknowledged; a failed one waits for its retry."""
    client = broker.client
    return int(client.hlen("dramatiq:default.msgs") + client.hlen("dramatiq:default.DQ.msgs"))
