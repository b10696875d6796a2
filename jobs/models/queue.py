"""The queues, as far as people steer them."""

from django.db import models


class Queue(models.Model):
    """A Celery queue that someone has paused, or had paused; without a row a queue goes on."""

    name = models.CharField(max_length=60, primary_key=True)
    #: Null while it goes on.
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        default_permissions = ("view",)
        permissions = (("pause_queue", "Can pause and resume queues"),)

    def __str__(self) -> str:
        return self.name
