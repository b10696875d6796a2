"""One process at a time keeps time: beat before a worker, and nobody for longer than its lease."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.services.leadership import acquire, release

pytestmark = pytest.mark.usefixtures("db")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LENGTH = timedelta(seconds=15)


def asked(holder: str, rank: int, seconds: float = 0) -> bool:
    at = NOW + timedelta(seconds=seconds)
    return acquire("timekeeper", holder=holder, rank=rank, length=LENGTH, now=at)


def test_the_first_has_it_and_keeps_it_while_it_renews() -> None:
    assert asked("one", 1)
    assert not asked("two", 1)
    assert asked("one", 1, 10)
    assert not asked("two", 1, 24)


def test_another_has_it_once_the_lease_ran_out() -> None:
    assert asked("one", 1)
    assert not asked("two", 1, 14.9)
    assert asked("two", 1, 15.1)
    assert not asked("one", 1, 16)


def test_beat_takes_over_from_a_worker_and_not_from_another_beat() -> None:
    assert asked("worker", 1)
    assert asked("beat", 0, 1)
    assert not asked("worker", 1, 2)
    assert not asked("second beat", 0, 3)


def test_who_resigns_can_be_followed_at_once() -> None:
    assert asked("one", 0)
    release("timekeeper", holder="another")
    assert not asked("two", 0, 1)
    release("timekeeper", holder="one")
    assert asked("two", 0, 1)
