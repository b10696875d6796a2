"""Circuit breakers, shared by all workers: what fails again and again is left alone for a while.

Closed, each failure within a window is counted. With `BREAKER_FAILURES` of them the breaker opens,
and jobs that need the service are put off, with no attempt spent. After `BREAKER_OPEN_SECONDS` one
job tries it; if that goes well, the breaker closes, and those that were put off come back one after
the other, since each was put off by another length of time.
"""

import random
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from jobs.conf import jobs_settings
from jobs.domain.events import Event, EventName
from jobs.models import Breaker
from jobs.selectors.clock import database_now
from jobs.services.audit import record
from jobs.services.events import emit

MAX_NAME_LENGTH = 100
#: How old what a process knows of a closed one may be.
_KNOWN_SECONDS = 1.0
_closed_until: dict[str, float] = {}


def wait_for(service: str) -> timedelta | None:
    """Return for how long a job that needs the service is put off; None if it is to run.

    Of those that ask after a breaker has been open for long enough, one is to run.
    """
    if not jobs_settings().breaker_failures or time.monotonic() < _closed_until.get(service, 0):
        return None
    breaker = Breaker.objects.filter(pk=service).first()
    if breaker is None or breaker.state == Breaker.State.CLOSED:
        _closed_until[service] = time.monotonic() + _KNOWN_SECONDS
        return None
    now = database_now()
    length = timedelta(seconds=jobs_settings().breaker_open_seconds)
    ready_at = breaker.probe_until or (breaker.opened_at or now) + length
    if now < ready_at:
        return ready_at - now + length * random.random()  # noqa: S311 - only spreads them
    untried = Q(state=Breaker.State.OPEN) | Q(probe_until__lte=now)
    mine = Breaker.objects.filter(untried, pk=service).exclude(state=Breaker.State.CLOSED)
    if mine.update(state=Breaker.State.HALF_OPEN, probe_until=now + length):
        return None
    return length * (1 + random.random())  # noqa: S311 - as above


def note_failure(service: str, error: str) -> None:
    """Count a failure; open the breaker if there are too many, or if it was being tried."""
    if not jobs_settings().breaker_failures:
        return
    now = database_now()
    with transaction.atomic():
        Breaker.objects.get_or_create(pk=service, defaults={"window_began_at": now})
        breaker = Breaker.objects.select_for_update().get(pk=service)
        if breaker.state == Breaker.State.OPEN:
            return  # of a job that had begun before
        window = timedelta(seconds=jobs_settings().breaker_window_seconds)
        if now - breaker.window_began_at > window:
            breaker.window_began_at, breaker.failures = now, 0
        breaker.failures += 1
        breaker.last_error = error[:500]
        tried = breaker.state == Breaker.State.HALF_OPEN
        if tried or breaker.failures >= jobs_settings().breaker_failures:
            breaker.state, breaker.opened_at, breaker.probe_until = Breaker.State.OPEN, now, None
            breaker.openings += 1
            emit(_event(EventName.BREAKER_OPENED, service, now, failures=breaker.failures))
            _closed_until.pop(service, None)
        breaker.save()


def note_success(service: str) -> None:
    """Close the breaker if the job that tried the service has succeeded."""
    if time.monotonic() < _closed_until.get(service, 0):
        return
    _close(Breaker.objects.filter(pk=service, state=Breaker.State.HALF_OPEN), service)


def reset(service: str, *, actor: str) -> bool:
    """Close the breaker by hand; return whether it was not closed."""
    with transaction.atomic():
        others = Breaker.objects.filter(pk=service).exclude(state=Breaker.State.CLOSED)
        if not _close(others, service):
            return False
        record(actor=actor, action="breaker.reset", target_type="breaker", target_id=service)
    return True


def _close(breakers: QuerySet[Breaker], service: str) -> bool:
    now = database_now()
    fresh = {"failures": 0, "window_began_at": now, "opened_at": None, "probe_until": None}
    with transaction.atomic():
        closed = breakers.update(state=Breaker.State.CLOSED, **fresh)
        if closed:
            emit(_event(EventName.BREAKER_CLOSED, service, now))
    return bool(closed)


def _event(name: EventName, service: str, now: datetime, **details: int) -> Event:
    return Event(name, now, details={"service": service, **details})
