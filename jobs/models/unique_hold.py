"""What keeps a second job like another from being submitted."""

from typing import ClassVar

from django.db import models


class UniqueHold(models.Model):
    """One job of a kind that there may be only one of for a while.

    Whether it still holds is looked at when the next one comes, so nothing is written when a job
    starts or ends.
    """

    tenant = models.CharField(max_length=50, blank=True, default="")
    job_type = models.CharField(max_length=100)
    key = models.CharField(max_length=200)
    #: No foreign key, which would cost each removal of a job a look; it holds no longer than that.
    job_id = models.UUIDField()
    #: Until when it holds; null: as long as `until_start` says.
    expires_at = models.DateTimeField(null=True, blank=True)
    #: Until it has ended badly, or so long after it has completed; null: as the others say.
    result_ttl = models.DurationField(null=True, blank=True)
    #: Whether it holds until its job starts, and not until it ends.
    until_start = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tenant", "job_type", "key"], name="unique_hold"),
        ]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.job_type} {self.key}"
