"""The tags that jobs are found by."""

from typing import ClassVar

from django.db import models


class JobTag(models.Model):
    """One tag of one job. A table of its own: a job without tags costs nothing."""

    job = models.ForeignKey("jobs.Job", on_delete=models.CASCADE, related_name="tags")
    tag = models.CharField(max_length=50)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tag", "job"], name="job_tag"),
        ]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.tag
