"""Writing down what people did."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from jobs.domain.audit import digest_of, plain
from jobs.domain.current import current_request
from jobs.models import AuditEntry, AuditHead
from jobs.selectors.audit import told

_HEAD = 1


def record(
    *,
    actor: str,
    action: str,
    target_type: str,
    target_id: object,
    tenant: str = "",
    **details: Any,
) -> AuditEntry:
    """Add an entry, in the caller's transaction, which should be about to end.

    Entries are added one after the other: whoever adds one holds up the others until it commits.
    """
    request = current_request()
    entry = AuditEntry(
        at=timezone.now(),
        actor=actor[:200],
        action=action,
        tenant=tenant,
        target_type=target_type,
        target_id=str(target_id)[:64],
        details=plain(details),
        address=request.address if request else "",
        request_id=request.request_id if request else "",
    )
    with transaction.atomic():
        head, _ = AuditHead.objects.select_for_update().get_or_create(pk=_HEAD)
        entry.digest = digest_of(head.digest, told(entry))
        entry.save(force_insert=True)
        AuditHead.objects.filter(pk=_HEAD).update(digest=entry.digest, count=head.count + 1)
    return entry
