"""taskiq on a stream of Redis, whose messages are acknowledged."""

import asyncio
import os

from redis import Redis
from taskiq_redis import RedisStreamBroker

from benchmarks.peers import record

DISTRIBUTION = "taskiq"
broker = RedisStreamBroker(os.environ["PEERS_REDIS"])
loop = asyncio.new_event_loop()
client = Redis.from_url(os.environ["PEERS_REDIS"])


@broker.task
async def job(sent: float) -> None:
    """Do nothing but say so."""
    record.record(sent)


def prepare() -> None:
    """Make the stream's group."""
    loop.run_until_complete(broker.startup())


def submit(sent: float) -> None:
    """Submit one job."""
    loop.run_until_complete(job.kiq(sent))


def left() -> int:
    """Return how many nobody has read, or acknowledged."""
    (group,) = client.xinfo_groups("taskiq")
    return int(group["lag"] + group["pending"])
