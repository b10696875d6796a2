"""Jobs that belong together."""

from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7


def new_batch_id() -> UUID:
    """Return a UUIDv7: ids sort by the moment they were made."""
    return uuid7()


class Batch(models.Model):
    """Jobs with a common progress and end, and the jobs that this end leads to."""

    id = models.UUIDField(primary_key=True, default=new_batch_id, editable=False)
    name = models.CharField(max_length=100, blank=True, default="")
    #: Whose it is: the slug of a `Tenant`, or empty.
    tenant = models.CharField(max_length=50, blank=True, default="", db_default="")
    #: Jobs that were ever put in.
    total = models.PositiveIntegerField(default=0)
    #: What its end leads to: by `on_complete`, `on_success` and `on_failure`, a job each.
    callbacks = models.JSONField(default=dict, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    #: Since when it may end once all of its jobs have.
    closed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    #: How many ended how, by state; null until it has finished. Its jobs may be gone since.
    counts = models.JSONField(null=True, blank=True)
    #: Why its end did not lead to what it was to; empty if it did.
    last_error = models.TextField(blank=True, default="")
    #: How often it has finished: a retry of one of its jobs has it go on.
    ends = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "batches"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["tenant", "-id"], condition=~Q(tenant=""), name="batch_by_tenant"),
            models.Index(
                fields=["finished_at"],
                condition=Q(finished_at__isnull=False),
                name="batch_finished",
            ),
        ]
        default_permissions = ("view",)
        permissions = (("cancel_batch", "Can cancel batches"),)

    def __str__(self) -> str:
        return self.name or str(self.pk)

    @property
    def state(self) -> str:
        """How it is: `open`, `running`, `finished` or `cancelled`."""
        if self.cancelled_at is not None:
            return "cancelled"
        if self.finished_at is not None:
            return "finished"
        return "open" if self.closed_at is None else "running"
