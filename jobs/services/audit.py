"""Writing down what people did."""

from functools import cache
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from jobs.domain.audit import digest_of, plain
from jobs.domain.current import current_request
from jobs.models import AuditEntry, AuditHead
from jobs.selectors.audit import told

_HEAD = 1
# Each of these is a statement that need not be put together anew for each entry.
_TABLE = AuditEntry._meta.db_table
_HEADS = AuditHead._meta.db_table
_READ = f'SELECT digest FROM "{_HEADS}" WHERE id = %s'  # noqa: S608 - our own names
_MOVE = f'UPDATE "{_HEADS}" SET digest = {{digest}}, count = count + 1 WHERE id = %s'  # noqa: S608
#: What `digest_of` makes, where the digest before it need not be fetched first.
_DIGEST = "encode(sha256(convert_to(digest || chr(10) || %s, 'UTF8')), 'hex')"


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
    values, text = [_stored(field, entry) for field in _fields()], told(entry)
    # No savepoint in the caller's transaction: what fails in here fails all of it.
    with transaction.atomic(savepoint=False):
        added = _add(values, text)
        while added is None:
            AuditHead.objects.get_or_create(pk=_HEAD)
            added = _add(values, text)
    entry.pk, entry.digest = added
    entry._state.adding = False
    return entry


def _add(values: list[Any], text: str) -> tuple[int, str] | None:
    """Move the head and add the entry; return its id and digest, or None if there is no head."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # all in one statement; it waits for its turn
            moved = f"WITH moved AS ({_MOVE.format(digest=_DIGEST)} RETURNING digest)"
            cursor.execute(f"{moved} {_insert('FROM moved')}", [text, _HEAD, *values])
        else:  # where one writes at a time
            cursor.execute(_READ, [_HEAD])
            head = cursor.fetchone()
            if head is None:
                return None
            digest = digest_of(head[0], text)
            cursor.execute(_MOVE.format(digest="%s"), [digest, _HEAD])
            cursor.execute(_insert("FROM (SELECT %s AS digest) AS moved"), [*values, digest])
        added: tuple[int, str] | None = cursor.fetchone()
    return added


@cache
def _fields() -> list[Any]:
    return [
        field
        for field in AuditEntry._meta.concrete_fields
        if not field.primary_key and field.name != "digest"
    ]


@cache
def _insert(source: str) -> str:
    columns = ", ".join(f'"{field.column}"' for field in _fields())
    values = ", ".join(["%s"] * len(_fields()))
    return (
        f'INSERT INTO "{_TABLE}" ({columns}, digest) SELECT {values}, digest {source} '
        "RETURNING id, digest"
    )


def _stored(field: Any, entry: AuditEntry) -> Any:
    return field.get_db_prep_save(getattr(entry, field.attname), connection)
