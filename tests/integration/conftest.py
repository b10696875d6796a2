import time

import pytest

from notifications.events import sink


@pytest.fixture(autouse=True)
def _no_subscriptions_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process knows for some seconds who subscribed, also when a test's rows are rolled back."""
    monkeypatch.setattr(sink, "_wishes", [])
    monkeypatch.setattr(sink, "_read_at", time.monotonic())
