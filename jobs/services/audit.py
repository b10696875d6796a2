"""Writing down what people did."""

from typing import Any

from django.utils import timezone

from jobs.models import AuditEntry


def record(
    *, actor: str, action: str, target_type: str, target_id: object, **details: Any
) -> AuditEntry:
    """Add an entry, in the caller's transaction."""
    return AuditEntry.objects.create(
        at=timezone.now(),
        actor=actor[:200],
        action=action,
        target_type=target_type,
        target_id=str(target_id),
        details=details,
    )
