"""What tests of settings share."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from jobs.conf import jobs_settings
from jobs.domain.errors import ConfigurationError

Declare = Callable[..., None]


@pytest.fixture
def declare(settings: Settings) -> Declare:
    """Set JOBS in Django's settings."""

    def change(**jobs: Any) -> None:
        settings.JOBS = jobs

    return change


@pytest.fixture
def export(monkeypatch: pytest.MonkeyPatch) -> Declare:
    """Set variables of the environment, as a process finds them at its start."""

    def change(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"JOBSITE_{name}", value)
        jobs_settings.cache_clear()

    return change


@pytest.fixture(autouse=True)
def _read_again(settings: Settings) -> Iterator[None]:
    yield
    jobs_settings.cache_clear()


def refusal() -> str:
    """Return what the engine says of settings that it refuses."""
    with pytest.raises(ConfigurationError) as refused:
        jobs_settings()
    return str(refused.value)
