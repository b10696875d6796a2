"""What became of each notification, one row for each recipient."""

from uuid import uuid4

from django.db import models
from django.utils import timezone

from notifications.redaction import redact


class Delivery(models.Model):
    """One message of one job to one recipient through one channel.

    The unique constraint is what keeps a retried job from sending twice what arrived. `attempts`
    counts the tries and fences them: a run that was replaced cannot overwrite what the run after
    it recorded.
    """

    class State(models.TextChoices):
        """Where a delivery stands."""

        #: Not tried yet.
        PENDING = "pending"
        #: Handed to the channel; after a crash, nobody knows whether it arrived.
        SENDING = "sending"
        #: Did not arrive, and is tried again with the job.
        RETRYING = "retrying"
        #: The other side took it. Final.
        DELIVERED = "delivered"
        #: Did not arrive; only a retry of the job by hand tries it again.
        FAILED = "failed"

    #: The stable id that the receiver tells a repeat by: Message-ID, webhook-id.
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    job = models.ForeignKey(
        "jobs.Job", null=True, on_delete=models.SET_NULL, related_name="deliveries"
    )
    #: Whose it is: the slug of a tenant, or empty.
    tenant = models.CharField(max_length=50, blank=True, default="", db_default="")
    channel = models.CharField(max_length=40)
    recipient = models.CharField(max_length=1000)
    template = models.CharField(max_length=60)
    subject = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    #: Whether the last error is one that trying again cannot help.
    permanent = models.BooleanField(default=False)
    #: What the other side said last: an SMTP code, an HTTP status, a Slack timestamp.
    answer = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Constraints."""

        verbose_name_plural = "deliveries"
        ordering = ("-created_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("job", "channel", "recipient"), name="one_delivery_per_recipient"
            ),
            models.CheckConstraint(
                condition=models.Q(state="delivered", delivered_at__isnull=False)
                | (~models.Q(state="delivered") & models.Q(delivered_at__isnull=True)),
                name="delivered_deliveries_have_a_time",
            ),
        )

    def __str__(self) -> str:
        return f"{self.channel} to {self.shown_recipient}: {self.state}"

    @property
    def shown_recipient(self) -> str:
        """The recipient as people may see it: without the secrets a URL can hold."""
        return redact(self.recipient)
