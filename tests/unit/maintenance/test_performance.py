"""The slowest types come first, and those that have become slower are named."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from maintenance.models import HealthReport
from maintenance.performance import regressions, slowest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def report(averages: dict[str, float], *, age: timedelta = timedelta(minutes=1)) -> HealthReport:
    return HealthReport(at=NOW - age, healthy=True, seconds=0, slowest=slowest(averages))


def test_slowest_first() -> None:
    assert slowest({"a.quick": 0.1, "a.slow": 9, "a.also": 9}) == [
        {"job_type": "a.also", "average_run_seconds": 9},
        {"job_type": "a.slow", "average_run_seconds": 9},
        {"job_type": "a.quick", "average_run_seconds": 0.1},
    ]


@pytest.mark.parametrize(
    ("before", "now", "slower"),
    [
        (1.0, 1.5, True),
        (1.0, 1.49, False),
        (1.0, 0.5, False),
        (0.01, 0.05, False),  # five times, but nobody would notice
        (0.0, 5.0, False),
    ],
)
def test_slower_is_half_as_much_again_and_noticeable(
    before: float, now: float, slower: bool
) -> None:
    assert bool(regressions({"a.b": now}, [report({"a.b": before})])) is slower


def test_a_regression_says_what_it_is_compared_with() -> None:
    (found,) = regressions({"a.b": 3.0, "a.new": 9.0}, [report({"a.b": 1.5, "a.gone": 1.0})])
    assert found.as_json() == {
        "job_type": "a.b",
        "average_run_seconds": 3.0,
        "before_seconds": 1.5,
        "ratio": 2.0,
        "since": "2026-03-01T11:59:00+00:00",
    }


def test_what_creeps_shows_against_an_older_report() -> None:
    earlier = [report({"a.b": 1.9}), report({"a.b": 1.0}, age=timedelta(hours=1))]
    (found,) = regressions({"a.b": 2.0}, earlier)
    assert found.since == NOW - timedelta(hours=1)


def test_how_much_slower_counts_is_a_setting(settings: Settings) -> None:
    settings.MAINTENANCE = {"REGRESSION_RATIO": 1.1, "REGRESSION_SECONDS": 0}
    assert regressions({"a.b": 0.012}, [report({"a.b": 0.01})])
