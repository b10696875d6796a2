"""Who sends us webhooks, and what becomes of them."""

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from jobs.domain.hooks import HookKind


class HookSource(models.Model):
    """A sender of webhooks: each that is signed rightly becomes one job."""

    #: In the address: `/api/hooks/<name>`.
    name = models.CharField(
        max_length=50,
        unique=True,
        validators=[RegexValidator(r"^[a-z][a-z0-9-]*$", "Lower-case letters, digits and dashes.")],
    )
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in HookKind])
    #: Encrypted; the signature is checked by it.
    secret = models.TextField()
    #: The one before, encrypted, as long as it still holds.
    old_secret = models.TextField(blank=True, default="")
    old_secret_until = models.DateTimeField(null=True, blank=True)
    job_type = models.CharField(max_length=100)
    #: Whose its jobs are: the slug of a `Tenant`, or empty.
    tenant = models.CharField(max_length=50, blank=True, default="", db_default="")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    #: To the minute.
    last_received_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in HookKind]), name="hook_source_kind"
            ),
        ]
        verbose_name = "webhook source"
        default_permissions = ("view", "add", "change", "delete")

    def __str__(self) -> str:
        return self.name
