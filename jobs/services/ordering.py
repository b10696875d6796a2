"""Which priority is served next: strictly the most urgent, unless the settings say otherwise.

`ORDER` set to `weighted` gives each priority its share of the takes. `AGEING_SECONDS` has every
other take serve what has waited for longer than that, so that urgent work without an end starves
nothing, and makes an urgent job wait for one take more at most.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

from django.db import connection
from django.utils import timezone

from jobs.conf import jobs_settings
from jobs.domain.priority import Priority
from jobs.domain.turns import Turns
from jobs.models import Job, Queue
from jobs.services.taking import ALL, Taker, Wanted, take

_LONGEST = "SELECT priority FROM ({heads}) AS heads WHERE run_at <= %s ORDER BY run_at LIMIT 1"
_HEAD = """
SELECT * FROM (
    SELECT priority, run_at FROM {jobs} WHERE state = 'queued' AND priority = %s
        AND queue IN ({queues})
        AND queue NOT IN (SELECT name FROM {pauses} WHERE paused_at IS NOT NULL)
    ORDER BY id LIMIT 1
) AS head
"""

_shares: Turns[Priority] = Turns()
_takes = count()


def take_in_order(
    taker: Taker, queues: Sequence[str], *, limit: int = 1, wanted: Wanted = ALL
) -> list[Job]:
    """Take ready jobs in the order that the settings ask for: see `jobs.services.taking.take`."""
    favoured = _favoured(queues)
    if favoured is not None:
        jobs = take(taker, queues, limit=limit, wanted=replace(wanted, priority=favoured))
        if jobs:
            return jobs
    return take(taker, queues, limit=limit, wanted=wanted)


def _favoured(queues: Sequence[str]) -> Priority | None:
    """Return the priority that this take serves first; None: the most urgent there is."""
    settings = jobs_settings()
    if settings.ageing_seconds and next(_takes) % 2:
        aged = _longest_waiting(queues, timedelta(seconds=settings.ageing_seconds))
        if aged is not None:
            return aged
    if settings.order == "weighted":
        return _shares.next(settings.shares)
    return None


def _longest_waiting(queues: Sequence[str], ageing: timedelta) -> Priority | None:
    """Return the priority whose first job has waited longest, and for longer than that.

    One statement, which looks at the first job of each priority along the index.
    """
    if not queues:
        return None
    quote = connection.ops.quote_name
    look = _HEAD.format(
        jobs=quote(Job._meta.db_table),
        pauses=quote(Queue._meta.db_table),
        queues=", ".join(["%s"] * len(queues)),
    )
    params: list[Any] = []
    for priority in Priority:
        params += [int(priority), *queues]
    params.append(connection.ops.adapt_datetimefield_value(timezone.now() - ageing))
    heads = " UNION ALL ".join([look] * len(Priority))
    with connection.cursor() as cursor:
        cursor.execute(_LONGEST.format(heads=heads), params)
        found = cursor.fetchone()
    return Priority(found[0]) if found else None
