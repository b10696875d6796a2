"""The job types that keep the site clean and say how it is."""

import logging
from datetime import timedelta
from typing import Any

from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field

from jobs import JobContext, job_type, public
from maintenance.cleaning import clean_up
from maintenance.models import HealthReport
from maintenance.optimisation import optimise_database
from maintenance.reporting import make_report

#: What is left of the progress after the rows are removed is the database's.
_REMOVED = 90


class CleanupParams(BaseModel):
    """What a clean-up does."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(default=False, description="Only count, and change nothing.")
    batch_size: int = Field(default=500, ge=1, le=10_000, description="Rows a transaction.")
    optimise: bool = Field(default=True, description="Optimise the database afterwards.")


class HealthParams(BaseModel):
    """A health check takes no parameters."""

    model_config = ConfigDict(extra="forbid")


@job_type("maintenance.cleanup", priority="low", timeout=timedelta(minutes=30))
def cleanup(params: CleanupParams, ctx: JobContext) -> dict[str, Any]:
    """Remove what has been kept long enough, and optimise the database."""
    now = timezone.now()
    removed = clean_up(now=now, dry_run=True)
    if not params.dry_run:
        expected = max(sum(removed.values()), 1)

        def report(so_far: int) -> None:
            ctx.progress(_REMOVED * so_far / expected, f"{so_far} of {expected} removed")

        removed = clean_up(now=now, batch_size=params.batch_size, on_batch=report)
    ctx.progress(_REMOVED, "optimising the database")
    return {
        "removed": removed,
        "dry_run": params.dry_run,
        "database": optimise_database(perform=params.optimise and not params.dry_run),
    }


@job_type("maintenance.health", priority="low", timeout=timedelta(minutes=1))
def health(params: HealthParams, ctx: JobContext) -> dict[str, Any]:
    """Run every health check, and look for job types that have become slower."""
    if newer := _newer_report(ctx):
        return {"healthy": newer.healthy, "report": newer.pk, "superseded": True}
    report = make_report(timezone.now())
    for check in report.checks:
        if check["status"] == "unhealthy":
            ctx.log(f"{check['name']}: {check['message']}", level=logging.WARNING)
    return {
        "healthy": report.healthy,
        "report": report.pk,
        "checks": {check["name"]: check["status"] for check in report.checks},
        "regressions": [each["job_type"] for each in report.regressions],
    }


def _newer_report(ctx: JobContext) -> HealthReport | None:
    """Return the newest report if it was made after this job was due.

    When no worker ran for a while, the many jobs that wait need not all look at the same thing.
    """
    try:
        due = public.get(ctx.job_id).run_at
    except public.JobNotFound:
        return None  # called as a plain function
    return HealthReport.objects.filter(at__gt=due).order_by("-at").first()
