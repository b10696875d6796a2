"""The workers, each with the lease that its running jobs live by."""

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q


class Worker(models.Model):
    """One `celery worker` process. Its running jobs are live while `expires_at` is ahead."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    #: Celery's node name, `celery@host`.
    name = models.CharField(max_length=200)
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    #: Of Celery.
    version = models.CharField(max_length=20)
    python_version = models.CharField(max_length=20, blank=True, default="")
    pool = models.CharField(max_length=40, blank=True, default="")
    queues = models.JSONField(default=list)
    #: Jobs that it can run at once now.
    concurrency = models.PositiveIntegerField(default=1)
    #: Between which numbers that may change by itself; null: it does not.
    min_concurrency = models.PositiveIntegerField(null=True, blank=True)
    max_concurrency = models.PositiveIntegerField(null=True, blank=True)
    #: The name of the `WorkerProfile` that it obeys; empty: there is none of its name.
    profile = models.CharField(max_length=100, blank=True, default="")
    #: Resident memory of the parent and its children, when it was last seen.
    memory_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    #: Why it is not well, such as that it hears no messages; empty while it is.
    ailment = models.CharField(max_length=200, blank=True, default="")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    #: By the database's clock.
    expires_at = models.DateTimeField()
    #: Set when it left of its own accord, or when it was found dead.
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["expires_at"], condition=Q(stopped_at__isnull=True), name="worker_lease"
            )
        ]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.name
