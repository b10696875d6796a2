import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from django.core.signals import request_finished
from django.test import Client
from pytest_django import Settings

from jobs.domain.access import Role
from jobs.services.api_keys import create_key


class Caller:
    """A program with a key: sends JSON, reads JSON."""

    def __init__(self, secret: str | None) -> None:
        self.secret = secret
        self._client = Client()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        if self.secret is not None:
            headers.setdefault("authorization", f"Bearer {self.secret}")
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        return self._client.generic(
            method,
            path,
            "" if body is None else data,
            content_type="application/json",
            headers=headers,
        )

    def get(self, path: str, status: int = 200, **headers: str) -> Any:
        return self.told(self.send("GET", path, **headers), status)

    def post(self, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        return self.told(self.send("POST", path, body, **headers), status)

    @staticmethod
    def told(response: Any, status: int) -> Any:
        assert response.status_code == status, response.content.decode()[:2000]
        if status >= 400:
            assert response["Content-Type"] == "application/problem+json"
        return response.json() if response.content else None


def drop(response: Any) -> None:
    """Close a response that is not read; the test's connection stays."""
    with patch.object(request_finished, "send"):
        response.close()


@pytest.fixture
def caller(db: None) -> Callable[..., Caller]:
    """Make a program with a key of a role."""

    def make(role: Role | str = Role.ADMIN, **options: Any) -> Caller:
        return Caller(create_key("test", role=role, actor="test", **options).secret)

    return make


@pytest.fixture
def viewer(caller: Callable[..., Caller]) -> Caller:
    return caller(Role.VIEWER)


@pytest.fixture
def operator(caller: Callable[..., Caller]) -> Caller:
    return caller(Role.OPERATOR)


@pytest.fixture(autouse=True)
def _memory(settings: Settings) -> None:
    """Jobs queue in this process until `drain`, and no broker is asked."""
    settings.JOBS = {**settings.JOBS, "BACKEND": "memory"}
