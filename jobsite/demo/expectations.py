"""What a step of the demo expects, and how it says that something else happened."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from jobsite.supervision.child import wait_until

_SOON = timedelta(seconds=30)


class StepFailed(Exception):
    """A step did not do what it says; the message says what happened instead."""


def expect(condition: Callable[[], Any], otherwise: str, timeout: timedelta = _SOON) -> None:
    """Wait until the condition holds.

    Raises:
        StepFailed: it does not hold in time.
    """
    if not wait_until(condition, timeout):
        raise StepFailed(f"{otherwise} within {timeout.total_seconds():g} s")


def expect_same(what: str, found: object, expected: object) -> None:
    """Compare what was found with what should be there.

    Raises:
        StepFailed: they differ.
    """
    if found != expected:
        raise StepFailed(f"{what}: {found}, instead of {expected}")
