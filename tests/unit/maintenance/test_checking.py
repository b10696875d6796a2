"""Whatever a check does, its result says so, without what it must not say."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from pytest_django import Settings

from maintenance.checking import run_checks
from maintenance.outcomes import Skipped, Status, Unhealthy, all_healthy
from maintenance.registry import HealthCheck


def check(function: Callable[[], str], *, seconds: float = 10) -> HealthCheck:
    return HealthCheck(
        name="sample", check=function, required=True, timeout=timedelta(seconds=seconds)
    )


def raising(error: Exception) -> Callable[[], str]:
    def function() -> str:
        raise error

    return function


@pytest.mark.parametrize(
    ("function", "status", "message"),
    [
        (lambda: "fine", Status.HEALTHY, "fine"),
        (raising(Unhealthy("broken")), Status.UNHEALTHY, "broken"),
        (raising(Skipped("not configured")), Status.SKIPPED, "not configured"),
        (raising(TimeoutError("slow")), Status.UNHEALTHY, "the check ended in TimeoutError"),
        (
            raising(RuntimeError("redis://user:SECRET@host")),
            Status.UNHEALTHY,
            "the check ended in RuntimeError",
        ),
    ],
)
def test_each_ending(function: Callable[[], str], status: Status, message: str) -> None:
    (result,) = run_checks([check(function)])
    assert (result.status, result.message) == (status, message)
    assert result.seconds < 5


def test_checks_that_hang_are_cut_off_together_and_hold_up_no_other(settings: Settings) -> None:
    settings.MAINTENANCE = {"CHECK_TIMEOUT_SECONDS": 0.2}
    released = threading.Event()
    hanging = [
        HealthCheck(name=f"hanging {number}", check=lambda: str(released.wait(30)))
        for number in range(20)
    ]
    began = time.monotonic()
    *cut_off, fine = run_checks([*hanging, check(lambda: "fine")])
    took = time.monotonic() - began
    released.set()
    assert took < 2
    assert {result.message for result in cut_off} == {"no answer within 0.2 s"}
    assert {result.status for result in cut_off} == {Status.UNHEALTHY}
    assert fine.healthy


def test_a_message_is_not_endless() -> None:
    (result,) = run_checks([check(lambda: "x" * 10_000)])
    assert len(result.message) == 500


def test_only_required_checks_make_the_whole_unhealthy() -> None:
    optional = HealthCheck(name="optional", check=raising(Unhealthy("down")))
    assert all_healthy(run_checks([optional, check(lambda: "fine")]))
    assert all_healthy(run_checks([check(raising(Skipped("not configured")))]))
    assert not all_healthy(run_checks([optional, check(raising(Unhealthy("down")))]))
