"""What people did."""

from typing import ClassVar

from django.db import models


class AuditEntry(models.Model):
    """One act of a person or a program on a job, a schedule or a queue. Never changed."""

    at = models.DateTimeField()
    #: A user name, or what acted in its own name, such as `command line`.
    actor = models.CharField(max_length=200)
    #: Such as `job.retry`.
    action = models.CharField(max_length=50)
    target_type = models.CharField(max_length=50)
    target_id = models.CharField(max_length=64)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["target_type", "target_id", "id"], name="audit_target")
        ]
        verbose_name_plural = "audit entries"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.target_id}"
