"""What a worker stands on, looked at once as it starts: where a guarantee is weaker, it says so."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import redis
import structlog
from django.db import connection

from jobs.conf import jobs_settings
from jobs.models import Worker

logger = structlog.get_logger(__name__)
_NEVER_EVICTS = "noeviction"


def warn_of_weak_ground(*, broker_url: str, host: str, forks: bool) -> None:
    """Log a warning for each guarantee that cannot be given here."""
    for name, why, remedy in [*_of_pool(forks), *_of_database(broker_url, host), *_of_broker()]:
        logger.warning("weak_ground", what=name, why=why, remedy=remedy)


def _of_pool(forks: bool) -> Iterator[tuple[str, str, str]]:
    if not forks:
        yield (
            "pool",
            "a handler that ignores its timeout or a cancellation cannot be killed in this pool",
            "use the prefork pool, Celery's default",
        )


def _of_database(broker_url: str, host: str) -> Iterator[tuple[str, str, str]]:
    if connection.vendor != "sqlite":
        return
    elsewhere = (urlsplit(broker_url).hostname or "localhost") not in ("localhost", "127.0.0.1")
    others = Worker.objects.filter(stopped_at=None).exclude(host=host).exists()
    if elsewhere or others:
        yield (
            "database",
            "SQLite is a file of one machine: workers of another one would have jobs of their own",
            "use PostgreSQL: set DATABASE_URL",
        )


def _of_broker() -> Iterator[tuple[str, str, str]]:
    url = jobs_settings().redis_url
    if not url:
        return
    try:
        client: Any = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
        with client:
            policy = client.config_get("maxmemory-policy").get("maxmemory-policy", _NEVER_EVICTS)
    except redis.RedisError:  # it is away, or does not tell
        return
    if policy != _NEVER_EVICTS:
        yield (
            "broker",
            f"Redis may evict what waits in it ({policy}): bells ring again, plain tasks are lost",
            "set its maxmemory-policy to noeviction",
        )
