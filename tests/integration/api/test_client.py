"""The client, against a site that answers over HTTP."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import BaseModel
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from jobs.backends.memory import drain
from jobs.client import transport as transports
from jobs.domain.access import Role
from jobs.models import Job
from jobs.public import create_schedule, submit
from jobs.services import stream
from jobs.services.api_keys import create_key
from jobsite.client import (
    ApiError,
    Client,
    Conflict,
    JobFailed,
    NotAllowed,
    NotFound,
    Refused,
    TooMany,
    Unreachable,
    WaitedTooLong,
)

pytestmark = pytest.mark.django_db(transaction=True)
SOON = timedelta(seconds=0.2)


@pytest.fixture
def site(live_server: LiveServer) -> Iterator[Client]:
    key = create_key("client", role=Role.ADMIN, actor="test").secret
    with Client(live_server.url, key=key) as client:
        yield client


@pytest.fixture(autouse=True)
def _flush(live_server: LiveServer, transactional_db: None) -> None:
    """The server's threads share the test's database."""


class Echo(BaseModel):
    value: int


class TestSubmitting:
    def test_a_job_is_submitted_waited_for_and_read(self, site: Client) -> None:
        accepted = site.submit("sample.echo", Echo(value=7), priority="high", tags=["nightly"])
        assert (accepted.message, accepted.duplicate) == ("accepted", False)
        drain()
        job = site.wait(accepted.job_id)
        assert (job.state, job.priority, job.params, job.tags) == (
            "completed", "high", {"value": 7}, ["nightly"],
        )  # fmt: skip
        assert [each.after for each in job.timeline] == ["queued", "running", "completed"]
        assert job.attempts[0].outcome == "completed"

    def test_lengths_of_time_and_moments_are_pythons(self, site: Client) -> None:
        accepted = site.submit(
            "sample.echo", delay=timedelta(hours=1), timeout=timedelta(seconds=3), max_attempts=2
        )
        job = site.get(accepted.job_id)
        assert (job.state, job.timeout_seconds, job.max_attempts) == ("scheduled", 3, 2)
        at = datetime.now(UTC) + timedelta(days=1)
        assert site.get(site.submit("sample.echo", run_at=at).job_id).run_at == at

    def test_the_same_key_makes_one_job(self, site: Client) -> None:
        first = site.submit("sample.echo", {"value": 1}, idempotency_key="k")
        again = site.submit("sample.echo", {"value": 1}, idempotency_key="k")
        assert (again.job_id, again.duplicate) == (first.job_id, True)
        with pytest.raises(Conflict, match="which has other parameters") as failed:
            site.submit("sample.echo", {"value": 2}, idempotency_key="k")
        assert failed.value.problem is not None
        assert failed.value.problem.code == "duplicate_job"

    def test_an_answer_that_is_lost_makes_no_second_job(
        self, site: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send = httpx.Client.send
        lost: list[int] = []

        def losing(self: httpx.Client, request: httpx.Request, **rest: Any) -> httpx.Response:
            response = send(self, request, **rest)
            if len(lost) < 2:
                lost.append(response.status_code)
                raise httpx.ReadError("connection reset")
            return response

        monkeypatch.setattr(httpx.Client, "send", losing)
        accepted = site.submit("sample.echo")
        assert (lost, accepted.duplicate) == ([202, 200], True)
        assert Job.objects.count() == 1

    def test_many_at_once(self, site: Client) -> None:
        told = site.submit_many(
            [
                {"type": "sample.echo", "params": {"value": 1}, "delay": timedelta(minutes=1)},
                {"type": "no.such"},
            ]
        )
        assert (told.job_ids[1], [each.index for each in told.errors]) == (None, [1])
        assert Job.objects.get().state == "scheduled"


class TestSteering:
    def test_jobs_are_listed_page_after_page(self, site: Client) -> None:
        ids = [submit("sample.echo").job_id for _ in range(5)]
        assert [job.id for job in site.jobs(limit=2)] == ids[::-1]
        assert list(site.jobs(state="failed")) == []

    def test_a_job_is_cancelled_and_retried(self, site: Client) -> None:
        job_id = submit("sample.echo").job_id
        assert site.cancel(job_id).state == "cancelled"
        assert site.retry(job_id).state == "queued"
        with pytest.raises(Conflict, match="only failed and cancelled jobs"):
            site.retry(job_id)
        with pytest.raises(NotFound, match="there is no job"):
            site.cancel(uuid4())

    def test_dead_letters_queues_schedules_and_figures(self, site: Client) -> None:
        for _ in range(2):
            submit("sample.trouble", {"kind": "permanent"})
        drain()
        assert len(list(site.dead_letters(type="sample.trouble"))) == 2
        assert site.retry_dead_letters(type="sample.trouble") == 2
        drain()
        assert site.purge_dead_letters(all=True) == 2
        assert site.pause("low") == ["low"]
        assert [each.name for each in site.queues() if each.paused] == ["low"]
        assert site.resume("low") == ["low"]
        made = create_schedule("nightly", "sample.echo", cron="@daily")
        (found,) = site.schedules(name="nightly")
        assert found.id == made.pk
        assert site.get(site.trigger(made.pk).job_id).trigger == "manual"
        assert site.stats().waiting == 1
        assert "sample.echo" in {each.name for each in site.types()}
        assert site.workers() == []


class TestWaiting:
    def test_a_job_that_fails_is_told(self, site: Client) -> None:
        accepted = site.submit("sample.trouble", {"kind": "permanent"})
        drain()
        with pytest.raises(JobFailed, match="is failed") as failed:
            site.wait(accepted.job_id)
        assert failed.value.job.failure_reason == "permanent_error"

    def test_it_waits_no_longer_than_it_is_told(self, site: Client) -> None:
        accepted = site.submit("sample.echo")
        began = time.monotonic()
        with pytest.raises(WaitedTooLong, match="is queued after") as late:
            site.wait(accepted.job_id, timeout=SOON)
        assert late.value.job.state == "queued"
        assert time.monotonic() - began < 2


class TestFollowing:
    def test_events_come_as_they_happen_over_several_connections(
        self, site: Client, settings: Settings, redis_url: str
    ) -> None:
        settings.JOBS = {
            **settings.JOBS, "BACKEND": "celery", "REDIS_URL": redis_url, "API_STREAM_SECONDS": 0.3,
        }  # fmt: skip
        seen: list[str] = []
        first = submit("sample.echo").job_id
        stream.flush()

        def read() -> None:
            for event in site.events("job.created", since="0", type="sample.echo"):
                seen.append(str(event.job_id))
                if len(seen) >= 3 and seen[-1] == str(third):
                    return

        third = None
        reader = threading.Thread(target=read, daemon=True)
        second = submit("sample.echo").job_id
        stream.flush()
        reader.start()
        time.sleep(0.8)  # the first connection has ended by then
        third = submit("sample.echo").job_id
        stream.flush()
        reader.join(20)
        assert not reader.is_alive()
        assert seen[-3:] == [str(first), str(second), str(third)]


class TestErrors:
    def test_wrong_parameters_say_where(self, site: Client) -> None:
        with pytest.raises(Refused, match="parameters of notifications") as failed:
            site.submit("notifications.send", {"channel": "email"})
        assert failed.value.problem is not None
        assert "params.to" in {each.path for each in failed.value.problem.errors}

    def test_a_wrong_key(self, live_server: LiveServer) -> None:
        with Client(live_server.url, key="jsk_nonsense") as client, pytest.raises(NotAllowed):
            client.stats()
        viewer = create_key("v", role=Role.VIEWER, actor="test").secret
        with (
            Client(live_server.url, key=viewer) as client,
            pytest.raises(NotAllowed, match="this needs the scope submit"),
        ):
            client.submit("sample.echo")

    def test_a_full_queue_says_when_to_come_back(self, site: Client, settings: Settings) -> None:
        settings.JOBS = {**settings.JOBS, "QUEUE_SIZE": 1}
        site.submit("sample.echo")
        with pytest.raises(TooMany, match="queue normal is full") as failed:
            site.submit("sample.echo")
        assert failed.value.retry_after == timedelta(seconds=1)

    def test_a_site_that_is_away_is_tried_again(
        self, site: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pauses: list[float] = []
        away = Client("http://127.0.0.1:1", key="jsk_x", tries=3)
        monkeypatch.setattr(away._transport, "_sleep", pauses.append)
        with away, pytest.raises(Unreachable, match="does not answer"):
            away.stats()
        assert len(pauses) == 2
        with away, pytest.raises(Exception):  # noqa: B017, PT011 - it is closed
            away.stats()

    def test_something_else_than_the_api_is_told_apart(
        self, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with (
            Client(f"{live_server.url}/admin/nowhere", key="jsk_x") as client,
            pytest.raises(ApiError),
        ):
            client.stats()

    @pytest.mark.parametrize("url", ["jobs.example.org", "ftp://x", "http://", ""])
    def test_an_address_that_is_none(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"must be http\(s\)://host"):
            Client(url, key="jsk_x")

    def test_a_key_is_not_sent_in_the_clear(self) -> None:
        with pytest.raises(ValueError, match="would send the key in the clear: use https"):
            Client("http://jobs.example.org", key="jsk_x")


def test_pauses_grow_and_are_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "uniform", lambda _, high: high)
    pauses: list[float] = []
    one: Callable[..., Any] = transports.Transport
    made = one("https://x.example", "k", timeout=SOON, tries=3, sleep=pauses.append)
    for tried in (1, 2, 3, 9):
        made._pause(tried)
    assert pauses == [0.4, 0.8, 1.6, 5.0]
