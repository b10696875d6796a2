from datetime import UTC, datetime, timedelta

import pytest

from jobs import Priority
from jobs.domain.errors import InvalidOption
from jobs.domain.options import attempts_of, checked_key, moment_of
from jobs.domain.priority import queue_name

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_without_a_time_it_is_now() -> None:
    assert moment_of(delay=None, run_at=None, now=NOW) == NOW


def test_a_delay_counts_from_now() -> None:
    assert moment_of(delay=timedelta(minutes=5), run_at=None, now=NOW) == NOW + timedelta(minutes=5)


def test_a_time_that_has_passed_means_now() -> None:
    assert moment_of(delay=None, run_at=NOW - timedelta(days=1), now=NOW) == NOW


@pytest.mark.parametrize(
    ("delay", "run_at", "named"),
    [
        (timedelta(seconds=-1), None, "delay"),
        (timedelta(days=99_999), None, "delay"),
        (None, datetime(2026, 11, 23, 12), "naive"),  # noqa: DTZ001 - on purpose
        (None, NOW + timedelta(days=99_999), "ahead"),
        (timedelta(seconds=1), NOW, "both"),
    ],
)
def test_a_time_that_cannot_be_used_is_refused(
    delay: timedelta | None, run_at: datetime | None, named: str
) -> None:
    with pytest.raises(InvalidOption, match=named):
        moment_of(delay=delay, run_at=run_at, now=NOW)


def test_retries_are_attempts_less_one() -> None:
    assert attempts_of(max_attempts=None, max_retries=3) == 4
    assert attempts_of(max_attempts=2, max_retries=None) == 2
    assert attempts_of(max_attempts=None, max_retries=None) is None


@pytest.mark.parametrize(("attempts", "retries"), [(0, None), (None, -1), (2, 1), (5000, None)])
def test_impossible_attempts_are_refused(attempts: int | None, retries: int | None) -> None:
    with pytest.raises(InvalidOption, match="max_attempts"):
        attempts_of(max_attempts=attempts, max_retries=retries)


@pytest.mark.parametrize("key", ["", "x" * 201, "a\0b", 7])
def test_a_key_that_cannot_be_kept_is_refused(key: object) -> None:
    with pytest.raises(InvalidOption, match="idempotency_key"):
        checked_key(key)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["critical", "CRITICAL", " Critical ", 0, Priority.CRITICAL])
def test_a_priority_is_read(name: str | int) -> None:
    assert Priority.parse(name) is Priority.CRITICAL


@pytest.mark.parametrize("name", ["urgent", 4, -1, True, ""])
def test_an_unknown_priority_lists_the_known_ones(name: str | int) -> None:
    with pytest.raises(InvalidOption, match="critical, high, normal, low"):
        Priority.parse(name)


def test_queues_are_named_by_priority() -> None:
    assert queue_name("", Priority.HIGH) == "high"
    assert queue_name("mail", Priority.LOW) == "mail.low"
