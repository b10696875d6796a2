from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from jobs.domain.events import Event, subscribe


@pytest.fixture
def configure(settings: Settings) -> Any:
    """Return a function that changes the engine's settings for the test."""

    def change(**changes: Any) -> None:
        settings.JOBS = {**settings.JOBS, **{name.upper(): v for name, v in changes.items()}}

    return change


@pytest.fixture
def memory(configure: Any, db: None) -> None:
    """Jobs queue in this process until `drain`."""
    configure(backend="memory")


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """Everything that is emitted in this process during the test."""
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    yield seen
    unsubscribe()
