"""Makes health reports."""

import time
from datetime import datetime

import structlog

from jobs import public
from maintenance.checking import run_checks
from maintenance.conf import maintenance_settings
from maintenance.models import HealthReport
from maintenance.outcomes import all_healthy
from maintenance.performance import regressions, reports_to_compare, slowest
from maintenance.registry import health_checks
from maintenance.timebox import Run, TookTooLong, begin

logger = structlog.get_logger(__name__)


def make_report(now: datetime) -> HealthReport:
    """Run every check, look at how long jobs take, and store what was found."""
    began = time.monotonic()
    run_times = begin(public.average_run_seconds)
    results = run_checks(health_checks())
    averages = _averages(run_times, until=began + maintenance_settings().check_timeout_seconds)
    seconds = round(time.monotonic() - began, 4)
    slower = regressions(averages, reports_to_compare(now))
    for each in slower:
        logger.warning("job_type_slower", **each.as_json())
    return HealthReport.objects.create(
        at=now,
        healthy=all_healthy(results),
        seconds=seconds,
        checks=[result.as_json() for result in results],
        slowest=slowest(averages),
        regressions=[each.as_json() for each in slower],
    )


def _averages(run_times: Run[dict[str, float]], *, until: float) -> dict[str, float]:
    """Return the average run times, or none if they are not there in time."""
    try:
        return run_times.result(until=until)
    except TookTooLong:
        logger.warning("statistics_took_too_long")
        return {}
