"""Circuit breakers: outside services that jobs leave alone for a while."""

from django.db import models


class Breaker(models.Model):
    """What all workers know of an outside service; a service that never failed has no row."""

    class State(models.TextChoices):
        """Whether jobs that need the service run."""

        CLOSED = "closed"
        OPEN = "open"
        #: One job tries it; the others wait.
        HALF_OPEN = "half_open"

    service = models.CharField(max_length=100, primary_key=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.CLOSED)
    #: In the window that began then.
    failures = models.PositiveIntegerField(default=0)
    window_began_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    #: Until then the job that tries it is waited for.
    probe_until = models.DateTimeField(null=True, blank=True)
    #: How often it has opened.
    openings = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        default_permissions = ("view",)
        permissions = (("reset_breaker", "Can reset circuit breakers"),)

    def __str__(self) -> str:
        return self.service
