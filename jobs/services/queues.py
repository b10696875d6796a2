"""Pausing and resuming queues: what is paused is not taken from."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from jobs.domain.errors import UnknownQueue
from jobs.domain.events import Event, EventName
from jobs.domain.registry import registry
from jobs.models import Queue
from jobs.services.audit import record
from jobs.services.doorbell import ring
from jobs.services.events import emit


def pause(name: str, *, actor: str, now: datetime | None = None) -> list[str]:
    """Have no job of the queue taken any more; those that run go on.

    It holds from the next taking on, in every worker. Pausing a paused queue does nothing.

    Args:
        name: a queue, such as `low` or `mail.high`; or a job type's own, `mail`, for all four of
            its priorities; or `all`.
        actor: who does it, for the audit log.
        now: the moment; the present one if None.

    Returns:
        The queues that were paused by this.

    Raises:
        UnknownQueue: there is no such queue.
    """
    now = now or timezone.now()
    names = _named(name)
    with transaction.atomic():
        know_all()
        changed = _changeable(names, paused=False)
        Queue.objects.filter(name__in=changed).update(paused_at=now, paused_by=actor[:200])
        _tell(changed, EventName.QUEUE_PAUSED, "queue.pause", actor, now)
    return changed


def resume(name: str, *, actor: str, now: datetime | None = None) -> list[str]:
    """Have the queue's jobs taken again, and ring for them; the arguments are those of `pause`.

    Returns:
        The queues that were resumed by this.

    Raises:
        UnknownQueue: there is no such queue.
    """
    now = now or timezone.now()
    names = _named(name)
    with transaction.atomic():
        changed = _changeable(names, paused=True)
        Queue.objects.filter(name__in=changed).update(paused_at=None, paused_by="")
        _tell(changed, EventName.QUEUE_RESUMED, "queue.resume", actor, now)
        transaction.on_commit(lambda: ring(changed), robust=True)
    return changed


def know_all() -> None:
    """Give each queue of the site a row, so that people can see and pause it."""
    known = registry.celery_queues()
    if Queue.objects.filter(name__in=known).count() < len(known):
        Queue.objects.bulk_create([Queue(name=name) for name in known], ignore_conflicts=True)


def _named(name: str) -> list[str]:
    known = registry.celery_queues()
    if name == "all":
        return known
    found = [each for each in known if each == name or each.startswith(f"{name}.")]
    if not found:
        raise UnknownQueue(f"there is no queue {name!r}; there are: {', '.join(known)}, and all")
    return found


def _changeable(names: Collection[str], *, paused: bool) -> list[str]:
    rows = Queue.objects.select_for_update().filter(name__in=names)
    return sorted(rows.filter(paused_at__isnull=not paused).values_list("name", flat=True))


def _tell(names: list[str], event: EventName, action: str, actor: str, now: datetime) -> None:
    for name in names:
        record(actor=actor, action=action, target_type="queue", target_id=name)
        emit(Event(event, now, details={"queue": name, "actor": actor}))
