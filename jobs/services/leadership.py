"""One process at a time has a duty, by a lease in the database."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from jobs.models import Leadership
from jobs.selectors.clock import database_now


def acquire(
    duty: str, *, holder: str, rank: int, length: timedelta, now: datetime | None = None
) -> bool:
    """Take the duty, or renew its lease; return whether the holder has it now.

    It can be had while nobody has it, while its lease has run out, and from a holder of a higher
    rank. One guarded statement decides, so one process has it at a time as long as its work takes
    no longer than the lease.
    """
    now = now or database_now()
    row = Leadership.objects.filter(duty=duty)
    if row.filter(holder=holder, expires_at__gt=now).update(rank=rank, expires_at=now + length):
        return True
    lease = {"holder": holder, "rank": rank, "since": now, "expires_at": now + length}
    if row.filter(Q(expires_at__lte=now) | Q(rank__gt=rank)).update(**lease):
        return True
    if row.exists():
        return False
    try:
        with transaction.atomic():
            Leadership.objects.create(duty=duty, **lease)
    except IntegrityError:  # another process was quicker
        return False
    return True


def release(duty: str, *, holder: str) -> None:
    """Give the duty up, so that another process can have it at once."""
    Leadership.objects.filter(duty=duty, holder=holder).delete()


def lease_ends(duty: str) -> datetime | None:
    """Return when the present holder's lease runs out; None if nobody has the duty."""
    return Leadership.objects.filter(duty=duty).values_list("expires_at", flat=True).first()
