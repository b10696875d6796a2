"""How many jobs a key may submit in a minute."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from pytest_django import Settings

from jobs.api import rates
from jobs.domain.access import Role
from jobs.models import Job
from tests.integration.api.conftest import Caller

Make = Callable[..., Caller]
ECHO = {"type": "sample.echo"}


@pytest.fixture
def limited(settings: Settings, redis_url: str) -> Iterator[None]:
    settings.JOBS = {
        **settings.JOBS, "REDIS_URL": redis_url, "API_SUBMISSIONS_PER_MINUTE": 5,
    }  # fmt: skip
    with redis.Redis.from_url(redis_url) as client:
        for key in client.scan_iter("jobsite:limits*"):
            client.delete(key)
    yield
    rates._counting_alone.cache_clear()
    rates._alone_until = 0.0


def refused(response: Any) -> bool:
    assert response.status_code in {202, 429}, response.content
    if response.status_code == 202:
        return False
    assert response.json()["code"] == "rate_limited"
    assert 1 <= int(response["Retry-After"]) <= 60
    return True


@pytest.mark.usefixtures("limited")
def test_more_than_the_limit_are_refused_key_by_key(caller: Make) -> None:
    using, other = caller(Role.OPERATOR), caller(Role.OPERATOR)
    told = [refused(using.send("POST", "/api/jobs", ECHO)) for _ in range(7)]
    assert told == [False] * 5 + [True] * 2
    assert Job.objects.count() == 5
    assert not refused(other.send("POST", "/api/jobs", ECHO))
    using.get("/api/jobs")  # looking is not limited


@pytest.mark.usefixtures("limited")
def test_many_at_once_count_as_many(caller: Make) -> None:
    using = caller(Role.OPERATOR)
    using.post("/api/jobs/bulk", {"jobs": [ECHO] * 4}, 202)
    assert refused(using.send("POST", "/api/jobs/bulk", {"jobs": [ECHO] * 2}))
    told = using.post("/api/jobs/bulk", {"jobs": [ECHO] * 6}, 429)
    assert "6 jobs at once are more than the 5" in told["detail"]


@pytest.mark.usefixtures("limited")
def test_a_key_may_have_a_limit_of_its_own(caller: Make) -> None:
    using = caller(Role.OPERATOR, per_minute=1)
    assert not refused(using.send("POST", "/api/jobs", ECHO))
    assert refused(using.send("POST", "/api/jobs", ECHO))


def test_with_redis_away_each_process_counts_for_itself(
    caller: Make, settings: Settings, limited: None
) -> None:
    settings.JOBS = {**settings.JOBS, "REDIS_URL": "redis://127.0.0.1:1"}
    using = caller(Role.OPERATOR)
    told = [refused(using.send("POST", "/api/jobs", ECHO)) for _ in range(6)]
    assert told == [False] * 5 + [True]


def test_without_a_limit_nothing_is_asked(caller: Make, settings: Settings) -> None:
    settings.JOBS = {
        **settings.JOBS, "REDIS_URL": "redis://127.0.0.1:1", "API_SUBMISSIONS_PER_MINUTE": 0,
    }  # fmt: skip
    using = caller(Role.OPERATOR)
    assert not any(refused(using.send("POST", "/api/jobs", ECHO)) for _ in range(6))
    assert rates._alone_until == 0.0
