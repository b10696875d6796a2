"""What GitHub refuses becomes an outcome that says what to do."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pytest_django import Settings

from jobs import PermanentError, Retry
from jobs.contrib.digests.activity import no_report
from jobs.contrib.digests.period import period_between
from jobs.contrib.digests.sources import github_client
from jobs.contrib.digests.sources.base import SourceUnavailable
from jobs.contrib.digests.sources.github import GitHubSource
from tests.servers.github import GitHubServer
from tests.servers.github_recording import REPOSITORY

PERIODS = period_between(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC))


def read(name: str = "engine") -> None:
    GitHubSource("octo", name).read(*PERIODS, no_report)


def answer(server: GitHubServer, status: int, message: str = "No", **headers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    server.refuse = lambda _request: (status, named, {"message": message})


@contextmanager
def raises(kind: type[Exception], *parts: str) -> Iterator[pytest.ExceptionInfo[Exception]]:
    with pytest.raises(kind) as caught:
        yield caught
    for part in parts:
        assert part in str(caught.value)
    # Not in the message, and not in what a traceback would show of the causes.
    seen: BaseException | None = caught.value
    while seen is not None:
        assert "canary-token" not in f"{seen} {seen!r}"
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def test_a_wrong_token_is_permanent(github: GitHubServer) -> None:
    answer(github, 401, "Bad credentials")
    with raises(PermanentError, "401", "octo/engine", "check GITHUB_TOKEN"):
        read()


def test_a_token_that_may_not_is_permanent(github: GitHubServer) -> None:
    answer(github, 403, "Resource not accessible", x_ratelimit_remaining="4999")
    with raises(PermanentError, "403", "octo/engine", "check GITHUB_TOKEN"):
        read()


def test_an_unknown_repository_is_permanent(github: GitHubServer) -> None:
    with raises(PermanentError, "404", "octo/nothing", "private repository needs a GITHUB_TOKEN"):
        read("nothing")


@pytest.mark.parametrize("status", [400, 410, 422, 451])
def test_other_refusals_are_permanent(github: GitHubServer, status: int) -> None:
    answer(github, status)
    with raises(PermanentError, str(status)):
        read()


@pytest.mark.parametrize("status", [403, 429])
def test_the_rate_limit_asks_to_come_back_when_it_is_reset(
    github: GitHubServer, status: int
) -> None:
    reset = str(int(time.time()) + 900)
    answer(github, status, "API rate limit exceeded", x_ratelimit_remaining="0",
           x_ratelimit_reset=reset)  # fmt: skip
    with raises(Retry, "rate limit") as caught:
        read()
    assert isinstance(caught.value, Retry)
    assert caught.value.after is not None
    assert timedelta(seconds=880) < caught.value.after <= timedelta(seconds=900)
    # The worker did not wait, and did not ask again.
    assert len(github.requests) == 1


@pytest.mark.parametrize("status", [403, 429])
def test_the_secondary_rate_limit_says_how_long(github: GitHubServer, status: int) -> None:
    answer(github, status, "You have exceeded a secondary rate limit", retry_after="42")
    with raises(Retry, "secondary rate limit", "42 s") as caught:
        read()
    assert isinstance(caught.value, Retry)
    assert caught.value.after == timedelta(seconds=42)


def test_a_reset_in_the_past_does_not_make_the_job_spin(github: GitHubServer) -> None:
    answer(github, 429, x_ratelimit_remaining="0", x_ratelimit_reset="1000")
    with raises(Retry) as caught:
        read()
    assert isinstance(caught.value, Retry)
    assert caught.value.after == timedelta(seconds=1)


def test_too_many_requests_without_a_time_waits_a_minute(github: GitHubServer) -> None:
    answer(github, 429)
    with raises(Retry) as caught:
        read()
    assert isinstance(caught.value, Retry)
    assert caught.value.after == timedelta(minutes=1)


def test_without_a_token_the_rate_limit_names_the_remedy(
    github: GitHubServer, settings: Settings
) -> None:
    settings.GITHUB_TOKEN = ""
    answer(github, 403, x_ratelimit_remaining="0")
    with raises(Retry, "GITHUB_TOKEN"):
        read()


def test_the_rate_limit_in_the_middle_is_seen_as_well(github: GitHubServer) -> None:
    github.refuse = lambda request: (
        (403, {"Retry-After": "7"}, {"message": "slow down"})
        if request.path == f"{REPOSITORY}/commits"
        else None
    )
    with raises(Retry, "7 s"):
        read()


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_failure_of_the_server_is_tried_again(github: GitHubServer, status: int) -> None:
    answer(github, status)
    with raises(SourceUnavailable, str(status)):
        read()
    assert len(github.requests) == 1


def test_no_connection_is_tried_again(github: GitHubServer, settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings.GITHUB_API_URL = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with raises(SourceUnavailable, "could not be reached", settings.GITHUB_API_URL):
            read()


def test_a_server_that_never_answers_is_tried_again(
    github: GitHubServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github_client, "_TIMEOUT", httpx.Timeout(0.2))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        settings.GITHUB_API_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with raises(SourceUnavailable, "did not answer"):
            read()
