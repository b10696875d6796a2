"""Stored digests, and who is told about them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone


class Digest(models.Model):
    """What happened in a repository in a period; written once, by its job."""

    class Source(models.TextChoices):
        """What the facts were read from."""

        GIT = "git", "git"
        GITHUB = "github", "GitHub"

    #: One digest for a job: a retried job finds what it stored before.
    job = models.OneToOneField(
        "jobs.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="digest"
    )
    #: Whose it is: the slug of a tenant, or empty.
    tenant = models.CharField(max_length=50, blank=True, default="", db_default="")
    repository = models.CharField(max_length=500)
    source = models.CharField(max_length=10, choices=Source.choices)
    #: The first moment of the period.
    start = models.DateTimeField()
    #: The first moment after it.
    end = models.DateTimeField()
    title = models.CharField(max_length=200)
    #: Counts, groups, people and so on: see `content`.
    data = models.JSONField()
    markdown = models.TextField()
    html = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(start__lt=F("end")), name="digest_period"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["repository", "-end"], name="digest_by_repository"),
            models.Index(fields=["-created_at"], name="digest_newest"),
        ]
        default_permissions = ("view", "delete")

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return the digest's page in the admin."""
        return reverse("admin:digests_digest_change", args=[self.pk])


class DigestSubscription(models.Model):
    """Someone who is told about each new digest of a repository."""

    #: Whose it is: those of a tenant are told of its digests alone.
    tenant = models.CharField(max_length=50, blank=True, default="", db_default="")
    repository = models.CharField(
        max_length=500,
        help_text="owner/name on GitHub, or the folder's absolute path: exactly one repository.",
    )
    channel = models.CharField(
        max_length=20, default="email", help_text="email, slack, webhook or another channel."
    )
    recipient = models.CharField(
        max_length=500, help_text="An e-mail address, a Slack channel or a webhook's URL."
    )
    enabled = models.BooleanField(default=True)
    #: Why Jobsite disabled it; says nothing while it is enabled.
    disabled_reason = models.CharField(max_length=300, blank=True, default="", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="digest_subscriptions",
    )

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["tenant", "repository", "channel", "recipient"], name="digest_subscriber"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.repository} → {self.channel} {self.recipient}"
