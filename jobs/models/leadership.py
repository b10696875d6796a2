"""Who keeps time: one process at once, by a lease."""

from django.db import models


class Leadership(models.Model):
    """A duty that one process has at a time: whoever holds the lease."""

    duty = models.CharField(max_length=40, primary_key=True)
    #: Names the process: its host, its process id and a random part.
    holder = models.CharField(max_length=300)
    #: A lower rank takes the duty over from a higher one: beat from a worker.
    rank = models.PositiveSmallIntegerField()
    since = models.DateTimeField()
    #: By the database's clock.
    expires_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.duty}: {self.holder}"
