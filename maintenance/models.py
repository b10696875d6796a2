"""What the health checks found, over time."""

from typing import ClassVar

from django.db import models


class HealthReport(models.Model):
    """One run of every check, with a look at how long jobs take; written once."""

    at = models.DateTimeField(db_index=True)
    #: Whether every required check was.
    healthy = models.BooleanField()
    #: How long the checks took, side by side.
    seconds = models.FloatField()
    #: A list of {name, required, status, message, seconds}.
    checks = models.JSONField(default=list)
    #: The average run time of each job type, slowest first: {job_type, average_run_seconds}.
    slowest = models.JSONField(default=list)
    #: The types that have become slower since an earlier report: see `performance.Regression`.
    regressions = models.JSONField(default=list)

    class Meta:
        default_permissions: ClassVar[tuple[str, ...]] = ("view",)

    def __str__(self) -> str:
        return f"{'healthy' if self.healthy else 'unhealthy'} at {self.at:%Y-%m-%d %H:%M:%S} UTC"

    @property
    def unhealthy_checks(self) -> list[str]:
        """The names of the checks that were not healthy, required or not."""
        return [check["name"] for check in self.checks if check["status"] == "unhealthy"]

    @property
    def average_run_seconds(self) -> dict[str, float]:
        """The average run time of each job type."""
        return {row["job_type"]: row["average_run_seconds"] for row in self.slowest}
