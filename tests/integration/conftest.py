import gc
import time

import pytest

from jobs.api import streaming
from notifications.events import sink


@pytest.fixture(autouse=True)
def _no_subscriptions_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process knows for some seconds who subscribed, also when a test's rows are rolled back."""
    monkeypatch.setattr(sink, "_wishes", [])
    monkeypatch.setattr(sink, "_read_at", time.monotonic())


@pytest.fixture(autouse=True)
def _no_streams_of_other_tests() -> None:
    """A stream whose reader ended by an exception is held by that one's frames until collected."""
    if streaming._open:
        gc.collect()
