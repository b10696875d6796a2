"""arq."""

import asyncio
import os
from typing import Any, ClassVar

from arq import create_pool
from arq.connections import RedisSettings
from redis import Redis

from benchmarks.peers import record

DISTRIBUTION = "arq"
URL = os.environ["PEERS_REDIS"]
SETTINGS = RedisSettings.from_dsn(URL)
loop = asyncio.new_event_loop()
client = Redis.from_url(URL)
pool: Any = None


async def job(_context: dict[str, Any], sent: float) -> None:
    """Do nothing but say so."""
    record.record(sent)


class WorkerSettings:
    """Its defaults."""

    functions: ClassVar = [job]
    redis_settings = SETTINGS


class Tuned:
    """More at once, and looked for more often; arq reads no inherited attribute."""

    functions: ClassVar = [job]
    redis_settings = SETTINGS
    max_jobs = 100
    poll_delay = 0.01


def prepare() -> None:
    """Connect."""
    global pool
    asyncio.set_event_loop(loop)
    pool = loop.run_until_complete(create_pool(SETTINGS))


def submit(sent: float) -> None:
    """Submit one job."""
    loop.run_until_complete(pool.enqueue_job("job", sent))


def left() -> int:
    """Return how many wait or run."""
    return int(client.zcard("arq:queue"))
