"""Workers' profiles: what people have workers of a name do, while they run."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

MOST_SLOTS = 1000
LONGEST_SHUTDOWN_SECONDS = 86_400


class WorkerProfile(models.Model):
    """What holds for the workers of one name, obeyed within seconds, without a restart."""

    name = models.CharField(
        max_length=100,
        unique=True,
        validators=[RegexValidator(r"^[^@\s]+$", "A name has no spaces and no @.")],
        help_text="A worker's node name before the @, or what its WORKER_PROFILE says.",
    )
    enabled = models.BooleanField(
        default=True,
        help_text="Disabled: its workers take no further job, finish what runs, and stay.",
    )
    draining = models.BooleanField(
        default=False,
        help_text="Its workers take no further job, finish what runs, and leave. One that starts "
        "while this is set stays, and takes none.",
    )
    #: Names of job types; empty: all.
    job_types = models.JSONField(default=list, blank=True)
    concurrency = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_SLOTS)],
        help_text="Jobs that one of its workers runs at once; with scaling, the most of them. "
        "Empty: as the worker was started.",
    )
    graceful_shutdown_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST_SHUTDOWN_SECONDS)],
        help_text="What running jobs get when a worker stops. Empty: WORKER_SHUTDOWN_SECONDS.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(concurrency__isnull=True) | Q(concurrency__gte=1),
                name="worker_profile_concurrency",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def takes_jobs(self) -> bool:
        """Whether its workers take jobs at all."""
        return self.enabled and not self.draining
