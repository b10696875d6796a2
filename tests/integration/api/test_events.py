"""Events over HTTP as they happen, and what happened to one job."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from django.utils import timezone
from pytest_django import Settings

from jobs.api import streaming
from jobs.backends.memory import drain
from jobs.domain.access import Role
from jobs.domain.events import Event, EventName
from jobs.public import submit
from jobs.selectors.event_stream import KEY
from jobs.services import stream
from jobs.services.tenants import create_tenant
from tests.integration.api.conftest import Caller, drop

Make = Callable[..., Caller]


@pytest.fixture
def told(settings: Settings, redis_url: str) -> Iterator[Callable[..., UUID]]:
    """Write an event to the stream, as every process does."""
    settings.JOBS = {
        **settings.JOBS, "BACKEND": "celery", "REDIS_URL": redis_url, "API_STREAM_SECONDS": 0.5,
    }  # fmt: skip
    with redis.Redis.from_url(redis_url) as client:
        client.delete(KEY)

    def write(name: EventName = EventName.COMPLETED, tenant: str = "", **fields: Any) -> UUID:
        job_id: UUID = uuid4()
        kind = fields.pop("job_type", "sample.echo")
        event = Event(name, timezone.now(), job_id, kind, "completed", "running", fields, tenant)
        stream.append([event])
        stream.flush()
        return job_id

    yield write
    assert streaming._open == 0


def messages(using: Caller, query: str = "", **headers: str) -> list[dict[str, str]]:
    """Read the stream to its end."""
    response = using.send("GET", f"/api/jobs/events{query}", **headers)
    assert (response.status_code, response["Content-Type"]) == (200, "text/event-stream")
    text = b"".join(response.streaming_content).decode()
    blocks = [
        block for block in text.split("\n\n") if block and not block.startswith((":", "retry"))
    ]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


def test_each_event_has_its_place_its_name_and_its_data(
    viewer: Caller, told: Callable[..., UUID]
) -> None:
    ids = [told(message="straße\n"), told(EventName.FAILED)]
    first, second = messages(viewer, "?last_event_id=0")
    assert (first["event"], second["event"]) == ("job.completed", "job.failed")
    data = json.loads(first["data"])
    assert (data["job_id"], data["message"], data["id"]) == (str(ids[0]), "straße\n", first["id"])
    again = messages(viewer, **{"Last-Event-ID": first["id"]})
    assert [each["id"] for each in again] == [second["id"]]
    assert messages(viewer) == []  # from now on


def test_only_those_that_are_wanted(viewer: Caller, told: Callable[..., UUID]) -> None:
    told()
    failed = told(EventName.FAILED, job_type="sample.work")

    def ids(query: str) -> list[str]:
        found = messages(viewer, f"?last_event_id=0&{query}")
        return [json.loads(each["data"])["job_id"] for each in found]

    for query in ("event=job.failed", "type=sample.work", f"job_id={failed}"):
        assert ids(query) == [str(failed)]
    assert len(ids("event=job.failed&event=job.completed")) == 2
    assert ids(f"job_id={uuid4()}") == []


def test_a_tenant_sees_its_own(caller: Make, told: Callable[..., UUID]) -> None:
    ours = caller(Role.VIEWER, tenant=create_tenant("acme", actor="test"))
    mine = told(tenant="acme")
    told(tenant="other")
    told()
    told(EventName.WORKER_ADDED)
    found = messages(ours, "?last_event_id=0")
    assert [json.loads(each["data"])["job_id"] for each in found] == [str(mine)]


@pytest.mark.parametrize("query", ["event=job.exploded", "last_event_id=x", "since=0", "job_id=7"])
def test_what_is_unknown_is_refused(viewer: Caller, query: str) -> None:
    assert viewer.get(f"/api/jobs/events?{query}", 400)["code"] == "invalid_request"


def test_without_a_stream_it_says_so(viewer: Caller, settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "REDIS_URL": ""}
    told = viewer.get("/api/jobs/events", 503)
    assert "there is no event stream" in told["detail"]
    settings.JOBS = {**settings.JOBS, "REDIS_URL": "redis://127.0.0.1:1"}
    assert "Redis does not answer" in viewer.get("/api/jobs/events", 503)["detail"]
    assert streaming._open == 0


def test_a_process_has_only_so_many(
    viewer: Caller, told: Callable[..., UUID], settings: Settings
) -> None:
    settings.JOBS = {**settings.JOBS, "API_STREAMS": 1}
    one = viewer.send("GET", "/api/jobs/events")
    refused = viewer.send("GET", "/api/jobs/events")
    assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")
    assert refused["Retry-After"] == "5"
    drop(one)
    assert messages(viewer) == []


def test_a_response_that_is_dropped_keeps_no_place(told: Callable[..., UUID]) -> None:
    """As a middleware that answers something else in its stead leaves it."""
    stream_of_events = streaming._Stream(iter([b""]), streaming._end)
    streaming._begin()
    del stream_of_events
    assert streaming._open == 0


def test_what_happened_to_one_job(viewer: Caller) -> None:
    job_id = submit("sample.chatty").job_id
    drain()
    steps = viewer.get(f"/api/jobs/{job_id}/events")
    assert [each["to"] for each in steps] == ["queued", "running", "completed"]
    (line,) = viewer.get(f"/api/jobs/{job_id}/logs")
    assert (line["message"], line["level"], line["answer"]) == ("hello", "INFO", 42)
    for kind in ("events", "logs"):
        viewer.get(f"/api/jobs/{uuid4()}/{kind}", 404)
