"""Reading what people did, and whether anyone has changed it since."""

from dataclasses import dataclass

from jobs.domain.audit import digest_of, text_of
from jobs.models import AuditEntry, AuditHead

_FIELDS = (
    "at", "actor", "action", "tenant", "target_type", "target_id", "details", "address",
    "request_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What was found of the chain of audit entries.

    Attributes:
        entries: how many were looked at.
        older: how many of them are older than the chain, and have no digest.
        broken_at: the id of the first whose digest is not what it should be; None: all are right.
        missing: how many are gone from the chain's end.
        head: the last digest. Kept somewhere else, it shows later whether the whole was replaced.
    """

    entries: int
    older: int
    broken_at: int | None
    missing: int
    head: str

    @property
    def whole(self) -> bool:
        """Whether nothing was changed or removed."""
        return self.broken_at is None and not self.missing


def told(entry: AuditEntry) -> str:
    """Return what an entry's digest covers."""
    return text_of({name: getattr(entry, name) for name in _FIELDS})


def check_chain() -> ChainCheck:
    """Walk the whole chain, oldest entry first.

    One that was changed, put in or taken out breaks it there; those taken from its end are missed.
    """
    head = AuditHead.objects.first() or AuditHead()
    entries = older = 0
    before = ""
    for entry in AuditEntry.objects.order_by("id").iterator(chunk_size=1000):
        entries += 1
        if not entry.digest and not before:
            older += 1
            continue
        if entry.digest != digest_of(before, told(entry)):
            return ChainCheck(entries, older, entry.pk, 0, head.digest)
        before = entry.digest
    return ChainCheck(entries, older, None, head.count - (entries - older), before)
