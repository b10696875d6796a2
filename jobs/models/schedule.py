"""The schedules: what runs when."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from jobs.domain.priority import Priority
from jobs.domain.schedules import Missed, Overlap


class Schedule(models.Model):
    """A job type and its parameters, run at the times of a cron expression."""

    name = models.CharField(max_length=100)
    #: Whose it is: the slug of a `Tenant`, or empty.
    tenant = models.CharField(max_length=50, blank=True, default="", db_default="")
    job_type = models.CharField(max_length=100)
    params = models.JSONField(default=dict, blank=True)
    cron = models.CharField(
        max_length=200,
        help_text="minute, hour, day of the month, month, day of the week; or @daily and the like. "
        "Six fields: the first is the second.",
    )
    timezone = models.CharField(
        "time zone", max_length=64, default="UTC", help_text="An IANA name, such as Europe/Berlin."
    )
    priority = models.PositiveSmallIntegerField(
        choices=[(each.value, each.label) for each in Priority],
        null=True,
        blank=True,
        help_text="Empty: the job type's own.",
    )
    enabled = models.BooleanField(default=True)
    overlap = models.CharField(
        max_length=14,
        choices=[
            (Overlap.RUN.value, "run beside it"),
            (Overlap.SKIP.value, "make no job"),
            (Overlap.QUEUE_ONE.value, "wait for it, one run at most"),
            (Overlap.QUEUE_ALL.value, "wait for it, each run"),
            (Overlap.CANCEL_RUNNING.value, "cancel it first"),
        ],
        default=Overlap.RUN,
        db_default=Overlap.RUN.value,
        help_text="What a run does while a job of the one before has not ended.",
    )
    missed = models.CharField(
        max_length=4,
        choices=[
            (Missed.ONCE.value, "one job for all of them"),
            (Missed.SKIP.value, "no job"),
            (Missed.ALL.value, "a job each, the latest hundred"),
        ],
        default=Missed.ONCE,
        db_default=Missed.ONCE.value,
        help_text="What becomes of runs that came while nothing kept time.",
    )
    starts_at = models.DateTimeField(
        "not before", null=True, blank=True, help_text="Empty: from now on."
    )
    ends_at = models.DateTimeField("not after", null=True, blank=True, help_text="Empty: for ever.")
    jitter_seconds = models.PositiveIntegerField(
        "jitter",
        default=0,
        db_default=0,
        help_text="Each run is put off by up to so many seconds, so that not all run at once.",
    )
    #: The next occurrence that has no job yet; null while disabled.
    next_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: Why the last occurrence made no job; empty if it did.
    last_error = models.TextField(blank=True, default="", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["next_run_at"], condition=Q(next_run_at__isnull=False), name="schedule_due"
            )
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant", "name"], name="schedule_name")
        ]
        permissions = (("trigger_schedule", "Can run schedules now"),)

    def __str__(self) -> str:
        return self.name
