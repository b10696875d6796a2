"""Runs health checks side by side, each within its time."""

import time
from collections.abc import Sequence
from datetime import timedelta

import structlog

from maintenance.conf import maintenance_settings
from maintenance.outcomes import CheckResult, Skipped, Status, Unhealthy
from maintenance.registry import HealthCheck
from maintenance.timebox import Run, TookTooLong, begin

logger = structlog.get_logger(__name__)
_LONGEST_MESSAGE = 500


def run_checks(
    checks: Sequence[HealthCheck], *, within: timedelta | None = None
) -> list[CheckResult]:
    """Return how each check ended, in the same order, after its longest time limit at most.

    Args:
        checks: those to run.
        within: a limit for all of them, besides each one's own.
    """
    asked = time.monotonic()
    runs = [(check, begin(check.check)) for check in checks]
    most = within.total_seconds() if within is not None else float("inf")
    return [
        _result(check, run, asked=asked, limit=min(most, _limit_seconds(check)))
        for check, run in runs
    ]


def _result(check: HealthCheck, run: Run[str], *, asked: float, limit: float) -> CheckResult:
    status, message = _ending(run, asked + limit, limit)
    took = time.monotonic() - asked if run.seconds is None else run.seconds
    if status is Status.UNHEALTHY:
        logger.warning("health_check_failed", check=check.name, message=message)
    return CheckResult(
        name=check.name,
        required=check.required,
        status=status,
        message=message[:_LONGEST_MESSAGE],
        seconds=round(took, 4),
    )


def _ending(run: Run[str], until: float, limit: float) -> tuple[Status, str]:
    try:
        return Status.HEALTHY, run.result(until=until)
    except Skipped as reason:
        return Status.SKIPPED, str(reason)
    except Unhealthy as reason:
        return Status.UNHEALTHY, str(reason)
    except TookTooLong:
        return Status.UNHEALTHY, f"no answer within {limit:g} s"
    except Exception as error:  # noqa: BLE001 - whatever a check raises, it is not healthy
        # Only the name: a message may hold an address with its password.
        return Status.UNHEALTHY, f"the check ended in {type(error).__name__}"


def _limit_seconds(check: HealthCheck) -> float:
    if check.timeout is None:
        return maintenance_settings().check_timeout_seconds
    return check.timeout.total_seconds()
