"""What people did."""

from typing import ClassVar

from django.db import models


class AuditEntry(models.Model):
    """One act of a person or a program on a job, a schedule or a queue.

    Never changed and never removed: the database refuses both. Each entry's digest covers the one
    before it, so that one which was changed past the database's guard is found
    (`manage.py jobs audit verify`).
    """

    at = models.DateTimeField()
    #: A user name, a key, or what acted in its own name, such as `command line`.
    actor = models.CharField(max_length=200)
    #: Such as `job.retry`.
    action = models.CharField(max_length=50)
    #: Whose the target is: the slug of a `Tenant`, or empty.
    tenant = models.CharField(max_length=50, blank=True, default="", db_default="")
    target_type = models.CharField(max_length=50)
    target_id = models.CharField(max_length=64)
    #: What there is to say: `before` and `after` for a change.
    details = models.JSONField(default=dict, blank=True)
    #: Where the request came from; empty if it was none.
    address = models.CharField(max_length=45, blank=True, default="", db_default="")
    #: What the site's log knows the request by; empty if it was none.
    request_id = models.CharField(max_length=32, blank=True, default="", db_default="")
    #: SHA-256 over the digest before and this entry, in hex; empty: older than the chain.
    digest = models.CharField(max_length=64, blank=True, default="", db_default="")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["target_type", "target_id", "id"], name="audit_target"),
            models.Index(
                fields=["tenant", "-id"], condition=~models.Q(tenant=""), name="audit_tenant"
            ),
        ]
        verbose_name_plural = "audit entries"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.target_id}"


class AuditHead(models.Model):
    """The end of the chain of digests: one row, which whoever adds an entry locks."""

    digest = models.CharField(max_length=64, blank=True, default="")
    #: Entries in the chain.
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.count} entries to {self.digest[:12]}"
