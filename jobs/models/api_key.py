"""The keys by which programs use the API."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from jobs.domain.access import Role


class ApiKey(models.Model):
    """A key of a program. Its secret is shown once, when it is made; only its digest is kept."""

    #: What it is for, such as `billing service`.
    name = models.CharField(max_length=100)
    #: The part of the key that tells which one it is; no secret.
    prefix = models.CharField(max_length=16, unique=True)
    #: SHA-256 of the whole key, in hex. The key's 256 random bits need no slower hash.
    digest = models.CharField(max_length=64)
    role = models.CharField(max_length=10, choices=[(role.value, role.value) for role in Role])
    #: Fewer than the role holds; empty: all of them.
    scopes = models.JSONField(default=list, blank=True)
    #: On whose behalf it acts; it ends when that user does.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="api_keys",
    )
    #: Whose jobs it sees and makes; null: everyone's.
    tenant = models.ForeignKey(
        "jobs.Tenant", null=True, blank=True, on_delete=models.PROTECT, related_name="api_keys"
    )
    #: Jobs that it may submit in a minute; null: the site's limit.
    submissions_per_minute = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    #: Null: it does not expire.
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    #: To the minute.
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(role__in=[role.value for role in Role]), name="api_key_role"
            ),
        ]
        verbose_name = "API key"
        default_permissions = ("view", "add", "change")

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"

    @property
    def state(self) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        ended = self.expires_at is not None and self.expires_at <= timezone.now()
        return "expired" if ended else "active"
