from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import Backoff
from jobs.domain.errors import ConfigurationError

MS = timedelta(milliseconds=1)


def seconds(backoff: Backoff, attempts: int) -> list[float]:
    return [backoff.delay(n).total_seconds() for n in range(1, attempts + 1)]


def test_exponential_doubles_from_one_second() -> None:
    assert seconds(Backoff.exponential(timedelta(seconds=1), jitter="none"), 5) == [1, 2, 4, 8, 16]


def test_exponential_is_capped_at_five_minutes_by_default() -> None:
    waits = seconds(Backoff(jitter="none"), 10)
    assert waits[:3] == [2, 4, 8]
    assert waits[-2:] == [300, 300]


def test_linear_grows_by_its_base() -> None:
    assert seconds(Backoff.linear(timedelta(seconds=1), jitter="none"), 5) == [1, 2, 3, 4, 5]


def test_fixed_stays() -> None:
    assert seconds(Backoff.fixed(timedelta(seconds=5), jitter="none"), 3) == [5, 5, 5]


@pytest.mark.parametrize(
    ("jitter", "draw", "expected"),
    [("full", 0.0, 0.0), ("full", 0.5, 5.0), ("equal", 0.0, 5.0), ("equal", 0.5, 7.5)],
)
def test_jitter_spreads_the_wait(jitter: str, draw: float, expected: float) -> None:
    backoff = Backoff.fixed(timedelta(seconds=10), jitter=jitter)  # type: ignore[arg-type]
    assert backoff.delay(1, draw=draw).total_seconds() == expected


@given(
    kind=st.sampled_from(["exponential", "linear", "fixed"]),
    jitter=st.sampled_from(["none", "equal", "full"]),
    base=st.integers(0, 10**7),
    extra=st.integers(0, 10**8),
    attempts=st.integers(1, 10**6),
    draw=st.floats(0, 1, exclude_max=True),
)
def test_never_negative_and_never_past_the_cap(
    kind: str, jitter: str, base: int, extra: int, attempts: int, draw: float
) -> None:
    backoff = Backoff(kind, base * MS, (base + extra) * MS, 2.0, jitter)  # type: ignore[arg-type]
    wait = backoff.delay(attempts, draw=draw)
    assert timedelta(0) <= wait <= backoff.cap
    assert wait <= backoff.ceiling(attempts)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "quadratic"},
        {"jitter": "some"},
        {"base": timedelta(seconds=-1)},
        {"base": timedelta(seconds=9), "cap": timedelta(seconds=8)},
        {"factor": 0.5},
    ],
)
def test_a_wrong_backoff_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        Backoff(**wrong)  # type: ignore[arg-type]
