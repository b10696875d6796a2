"""The tenants of a site: whose jobs, schedules and keys are kept apart."""

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models

#: Also in front of a URL or a metric's label, so it is plain.
SLUG = r"[a-z][a-z0-9-]{0,49}"


class Tenant(models.Model):
    """Those who share a site without seeing each other's jobs.

    Jobs and schedules name their tenant by its slug, which never changes; what belongs to no tenant
    names an empty one.
    """

    slug = models.CharField(
        max_length=50,
        primary_key=True,
        validators=[RegexValidator(rf"^{SLUG}$", "Lower-case letters, digits and dashes.")],
    )
    name = models.CharField(max_length=100)
    max_running = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Jobs of it that run at once, over all workers. Empty: any number.",
    )
    max_ready = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Jobs of it that are ready and wait; more are refused. Empty: any number.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ("view", "add", "change")

    def __str__(self) -> str:
        return self.slug


class TenantMember(models.Model):
    """A user who sees and steers what belongs to one tenant, and nothing else."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tenancy"
    )
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="members")

    def __str__(self) -> str:
        return f"{self.user} of {self.tenant_id}"
