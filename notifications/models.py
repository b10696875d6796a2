"""What became of each notification, one row for each recipient."""

from uuid import uuid4

from django.conf import settings
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


class EventSubscription(models.Model):
    """Someone who is told about events by signed webhooks (Standard Webhooks)."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=100)
    url = models.CharField(max_length=1000)
    #: Names of events, or their beginnings with a star: `job.failed`, `job.*`, `worker_*`.
    events = models.JSONField(default=list)
    #: Of jobs of these types alone; empty: of any, and of what is no job's.
    job_types = models.JSONField(default=list, blank=True)
    #: Whose events: the slug of a tenant; empty: everyone's, and the site's.
    tenant = models.CharField(max_length=50, blank=True, default="", db_default="")
    #: Encrypted.
    secret = models.TextField()
    #: The one before, encrypted, which signs as well as long as it holds.
    old_secret = models.TextField(blank=True, default="")
    old_secret_until = models.DateTimeField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    #: Why it was disabled by Jobsite itself; empty if it was not.
    disabled_reason = models.CharField(max_length=300, blank=True, default="")
    #: Who is told when it is.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="event_subscriptions",
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Constraints."""

        constraints = (
            models.UniqueConstraint(fields=("tenant", "name"), name="event_subscription_name"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def shown_url(self) -> str:
        """The address as people may see it: without the secrets it can hold."""
        return redact(self.url)


class EventDelivery(models.Model):
    """One event for one subscriber: kept, so that it can be sent again."""

    class State(models.TextChoices):
        """Where it stands."""

        #: On its way, or waiting for its next try.
        PENDING = "pending"
        #: The other side took it.
        DELIVERED = "delivered"
        #: It did not arrive, and is not tried any more.
        FAILED = "failed"

    #: The receiver's `webhook-id`: a repeat has the same.
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    #: Without a constraint: a process may take an event for a subscription for some seconds after
    #: it was removed, and that must not fail the change of the job that the event tells of.
    subscription = models.ForeignKey(
        EventSubscription,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_constraint=False,
    )
    event = models.CharField(max_length=50)
    #: What is sent.
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True, default="")
    #: The HTTP status of the last answer; empty without one.
    answer = models.CharField(max_length=10, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Indexes."""

        verbose_name_plural = "event deliveries"
        default_permissions = ("view",)
        indexes = (
            models.Index(fields=("subscription", "-created_at"), name="event_delivery_newest"),
            models.Index(fields=("created_at",), name="event_delivery_age"),
        )

    def __str__(self) -> str:
        return f"{self.event} to {self.subscription_id}: {self.state}"
