"""How many jobs a key may submit in a minute: counted in Redis, by all web processes together."""

import math
import os
import time
from functools import cache
from http import HTTPStatus
from typing import Final

import redis
import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from jobs.api.authentication import ApiRequest
from jobs.api.problems import Problem
from jobs.conf import jobs_settings

logger = structlog.get_logger(__name__)
_PREFIX: Final = "jobsite:limits"
#: Redis is asked in the middle of a request: one that does not answer must not hold it up.
_TIMEOUT_SECONDS: Final = 0.25
#: How long this process counts by itself after Redis did not answer.
_ALONE_SECONDS: Final = 5.0
_alone_until = 0.0


def count_submissions(request: ApiRequest, jobs: int = 1) -> None:
    """Count jobs that someone wants to submit.

    With Redis away each process counts for itself: nobody is refused for that, and nobody gets more
    than the limit from one process.

    Raises:
        Problem: they would be more than `API_SUBMISSIONS_PER_MINUTE`, or than the key's own limit.
    """
    most = request.auth.per_minute or jobs_settings().api_submissions_per_minute
    if not most:
        return
    limit = RateLimitItemPerMinute(most)
    limiter, whom = _limiter(), request.auth.rate_name
    try:
        fits = limiter.hit(limit, whom, cost=jobs)
    except redis.RedisError as error:
        limiter = _go_alone(error)
        fits = limiter.hit(limit, whom, cost=jobs)
    if not fits:
        raise _too_many(most, jobs, limiter.get_window_stats(limit, whom).reset_time)


def _too_many(most: int, jobs: int, reset_time: float) -> Problem:
    seconds = min(60, max(1, math.ceil(reset_time - time.time())))
    if jobs > most:
        told = f"{jobs} jobs at once are more than the {most} that may be submitted in a minute"
    else:
        told = f"more than {most} jobs in a minute; submit again in {seconds} s"
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "rate_limited",
        f"{told}; an admin can give the key another limit",
        headers={"Retry-After": str(seconds)},
    )


def _limiter() -> SlidingWindowCounterRateLimiter:
    url = jobs_settings().redis_url
    alone = not url or time.monotonic() < _alone_until
    return _counting_alone() if alone else _counting_together(url, os.getpid())


@cache
def _counting_together(url: str, _pid: int) -> SlidingWindowCounterRateLimiter:
    pool = redis.ConnectionPool.from_url(
        url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
    )
    return SlidingWindowCounterRateLimiter(
        RedisStorage("redis://", connection_pool=pool, key_prefix=_PREFIX)
    )


@cache
def _counting_alone() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(MemoryStorage())


def _go_alone(error: Exception) -> SlidingWindowCounterRateLimiter:
    global _alone_until
    logger.warning("rates_without_redis", error_type=type(error).__name__)
    _alone_until = time.monotonic() + _ALONE_SECONDS
    return _counting_alone()
