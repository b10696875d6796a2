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
_READ = f'SELECT digest, count FROM "{_HEADS}" WHERE id = %s'  # noqa: S608 - our own names
_LOOK = {"postgresql": f"{_READ} FOR UPDATE", "sqlite": _READ}
_MOVE = f'UPDATE "{_HEADS}" SET digest = %s, count = %s WHERE id = %s'  # noqa: S608


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
    # No savepoint in the caller's transaction: what fails in here fails all of it.
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        before, count = _head(cursor)
        entry.digest = digest_of(before, told(entry))
        move: list[Any] = [entry.digest, count + 1, _HEAD]
        insert: list[Any] = [_stored(field, entry) for field in _fields()]
        if connection.vendor == "postgresql":  # both in one statement
            cursor.execute(f"WITH moved AS ({_MOVE}) {_insert()}", [*move, *insert])
        else:
            cursor.execute(_MOVE, move)
            cursor.execute(_insert(), insert)
        (entry.pk,) = cursor.fetchone()
    entry._state.adding = False
    return entry


def _head(cursor: Any) -> tuple[str, int]:
    """Return the last digest and how many there are; hold up whoever else asks."""
    cursor.execute(_LOOK[connection.vendor], [_HEAD])
    found: tuple[str, int] | None = cursor.fetchone()
    if found is not None:
        return found
    AuditHead.objects.get_or_create(pk=_HEAD)
    cursor.execute(_LOOK[connection.vendor], [_HEAD])
    digest, count = cursor.fetchone()
    return digest, count


@cache
def _fields() -> list[Any]:
    return [field for field in AuditEntry._meta.concrete_fields if not field.primary_key]


@cache
def _insert() -> str:
    columns = ", ".join(f'"{field.column}"' for field in _fields())
    values = ", ".join(["%s"] * len(_fields()))
    return f'INSERT INTO "{_TABLE}" ({columns}) VALUES ({values}) RETURNING id'  # noqa: S608


def _stored(field: Any, entry: AuditEntry) -> Any:
    return field.get_db_prep_save(getattr(entry, field.attname), connection)
