"""The attempts of a job that did not end well."""

from typing import ClassVar

from django.db import models


class Attempt(models.Model):
    """A run that ended in anything but success: kept when the next run takes the job's row over.

    The run that succeeded is the job's row itself, so a job that completes at once costs no
    second row; `jobs.selectors.attempts` puts the two together.
    """

    class Outcome(models.TextChoices):
        """How the run ended."""

        ERROR = "error"
        TIMEOUT = "timeout"
        SNOOZED = "snoozed"
        CANCELLED = "cancelled"
        LOST = "lost"
        RELEASED = "released"

    job = models.ForeignKey("jobs.Job", on_delete=models.CASCADE, related_name="ended_attempts")
    #: Grows with every taking of the job, across retries by hand.
    run = models.PositiveIntegerField()
    #: The attempt as people count it: snoozed and released runs repeat their number.
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    worker_name = models.CharField(max_length=200, blank=True, default="")
    pid = models.PositiveIntegerField(null=True, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    #: When the next attempt was due; null if none followed.
    retry_at = models.DateTimeField(null=True, blank=True)
    error_type = models.CharField(max_length=200, blank=True, default="")
    error = models.TextField(blank=True, default="")
    traceback = models.TextField(blank=True, default="")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["job", "run"], name="attempt_run"),
        ]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.job_id}: {self.outcome}"
