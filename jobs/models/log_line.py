"""What a handler said while it ran."""

import logging
from typing import ClassVar

from django.db import models


class LogLine(models.Model):
    """One line of a job's own log (`ctx.log`)."""

    job = models.ForeignKey("jobs.Job", on_delete=models.CASCADE, related_name="log_lines")
    run = models.PositiveIntegerField()
    at = models.DateTimeField()
    level = models.PositiveSmallIntegerField(default=logging.INFO)
    message = models.TextField()
    fields = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["job", "id"], name="log_line_job")
        ]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.message

    @property
    def level_name(self) -> str:
        """The level's name, such as INFO."""
        return logging.getLevelName(self.level)
