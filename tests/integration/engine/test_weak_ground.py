"""A worker says at its start where it cannot give a guarantee."""

from typing import Any
from uuid import uuid4

import pytest
import redis
from django.db import connection
from pytest_django import Settings

from jobs.backends.ground import warn_of_weak_ground
from jobs.models import Worker
from jobs.services import workers
from tests.integration.engine.test_rescue import info

pytestmark = pytest.mark.django_db


def told(caplog: pytest.LogCaptureFixture, **ground: Any) -> list[str]:
    caplog.clear()
    warn_of_weak_ground(
        **{"broker_url": "redis://127.0.0.1", "host": "here", "forks": True, **ground}
    )
    events = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [event["what"] for event in events if event["event"] == "weak_ground"]


def test_nothing_is_said_on_firm_ground(caplog: pytest.LogCaptureFixture) -> None:
    assert told(caplog) == []


def test_a_pool_that_cannot_kill(caplog: pytest.LogCaptureFixture) -> None:
    assert told(caplog, forks=False) == ["pool"]


def test_sqlite_with_workers_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    weak = ["database"] if connection.vendor == "sqlite" else []
    assert told(caplog, broker_url="redis://broker.example.org/0") == weak
    workers.renew(info(uuid4()))
    assert told(caplog) == []
    Worker.objects.update(host="there")
    assert told(caplog) == weak


def test_a_redis_that_evicts(
    caplog: pytest.LogCaptureFixture, redis_url: str, settings: Settings
) -> None:
    settings.JOBS = {**settings.JOBS, "REDIS_URL": redis_url}
    with redis.Redis.from_url(redis_url) as client:
        before = client.config_get("maxmemory-policy")["maxmemory-policy"]
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            assert told(caplog) == ["broker"]
        finally:
            client.config_set("maxmemory-policy", before)
    settings.JOBS = {**settings.JOBS, "REDIS_URL": "redis://127.0.0.1:1/0"}
    assert told(caplog) == []
