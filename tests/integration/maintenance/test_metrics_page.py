"""`/metrics`: off until there is a token, and then for who sends it."""

import logging

import pytest
from django.http import HttpResponse
from django.test import Client
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from jobs.public import submit

_TOKEN = "right-SECRET"


@pytest.fixture
def token(settings: Settings) -> str:
    settings.METRICS_TOKEN = _TOKEN
    return _TOKEN


def scrape(client: Client, authorization: str) -> HttpResponse:
    answer = client.get("/metrics", headers={"authorization": authorization})
    assert isinstance(answer, HttpResponse)
    return answer


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer None", f"Bearer {_TOKEN}"])
def test_it_is_off_without_a_token_of_its_own(
    client: Client, settings: Settings, authorization: str
) -> None:
    assert settings.METRICS_TOKEN == ""
    assert scrape(client, authorization).status_code == 404


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        _TOKEN,
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {_TOKEN}x",
        f"Bearer {_TOKEN[:-1]}",
        f"Bearer  {_TOKEN}",
        f"Basic {_TOKEN}",
        "Bearer \xe9\xff",
    ],
)
def test_a_wrong_token_is_refused_before_anything_is_read(
    client: Client, token: str, authorization: str
) -> None:
    # No database mark: pytest-django would refuse.
    answer = scrape(client, authorization)
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer["WWW-Authenticate"] == 'Bearer realm="metrics"'


@pytest.mark.django_db
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_right_token_reads_every_series(
    client: Client, token: str, settings: Settings, scheme: str
) -> None:
    settings.JOBS = {**settings.JOBS, "BACKEND": "memory"}
    for _ in range(3):
        submit("sample.echo", priority="high")
    answer = scrape(client, f"{scheme} {token}")
    assert (answer.status_code, answer["Content-Type"]) == (200, CONTENT_TYPE_LATEST)
    assert "no-store" in answer["Cache-Control"]
    depths = {
        sample.labels["queue"]: sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
        if sample.name == "jobsite_job_queue_depth"
    }
    assert depths["high"] == 3
    assert depths["low"] == 0


def test_it_is_off_with_the_metrics(client: Client, token: str, settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "METRICS": False}
    assert scrape(client, f"Bearer {token}").status_code == 404
    assert scrape(client, "Bearer wrong").status_code == 401


def test_it_only_reads(client: Client, token: str) -> None:
    answer = client.post("/metrics", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 405


@pytest.mark.django_db
def test_no_token_is_logged(
    client: Client, token: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for given in (token, "wrong-SECRET"):
            scrape(client, f"Bearer {given}")
        settings.METRICS_TOKEN = ""
        scrape(client, f"Bearer {token}")
    assert "/metrics" in caplog.text
    assert "SECRET" not in caplog.text
