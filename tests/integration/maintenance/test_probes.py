"""Alive and ready, as a load balancer asks."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.urls("maintenance.urls")


def test_alive_looks_at_nothing_else(client: Client) -> None:
    # No database mark: pytest-django would refuse.
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")
    assert "no-store" in answer["Cache-Control"]


def test_ready(client: Client, healthy_site: Settings) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "healthy": True,
        "checks": [
            {
                "name": "broker",
                "healthy": True,
                "message": "the broker answers",
                "required": True,
            },
            {
                "name": "database",
                "healthy": True,
                "message": answer.json()["checks"][1]["message"],
                "required": True,
            },
        ],
    }
    assert "no-store" in answer["Cache-Control"]


def _refused(client: Client) -> dict[str, Any]:
    began = time.monotonic()
    answer = client.get("/readyz")
    assert time.monotonic() - began < 3
    assert answer.status_code == 503
    assert "SECRET" not in answer.content.decode()
    assert answer.json()["healthy"] is False
    return {check["name"]: check for check in answer.json()["checks"]}


def test_not_ready_without_the_broker(
    client: Client, healthy_site: Settings, broker_url: Callable[[str], None], closed_port: int
) -> None:
    broker_url(f"redis://user:SECRET@127.0.0.1:{closed_port}/0")
    checks = _refused(client)
    assert checks["database"]["healthy"] is True
    assert checks["broker"] == {
        "name": "broker",
        "healthy": False,
        "message": "the broker does not answer (OperationalError); is it running, and is "
        "BROKER_URL right?",
        "required": True,
    }


def test_not_ready_without_the_database(
    client: Client, healthy_site: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["default"], "NAME", "/no/such/SECRET")
    checks = _refused(client)
    assert checks["broker"]["healthy"] is True
    assert checks["database"]["message"].startswith("the database does not answer")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
