"""What happens because time passes: due jobs become ready, and unheard bells ring again."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from jobs.domain.events import Event, EventName
from jobs.domain.registry import registry
from jobs.domain.states import State
from jobs.models import Job, Queue, Schedule
from jobs.selectors.clock import database_now
from jobs.services.doorbell import ring, waiting_rings
from jobs.services.events import emit
from jobs.services.json_rows import as_uuid

_AT_ONCE = 1000
_PROMOTE = """
UPDATE {table} SET state = 'queued'
WHERE id IN (
    SELECT id FROM {table}
    WHERE state IN ('retrying', 'scheduled') AND run_at <= %s
    ORDER BY run_at LIMIT %s {lock}
) AND (state IN ('retrying', 'scheduled')) IS TRUE
RETURNING id, job_type, queue, tenant, run, run_at
"""
_NEXT = """
SELECT
    (SELECT MIN(run_at) FROM {jobs} WHERE state IN ('retrying', 'scheduled')),
    (SELECT MIN(next_run_at) FROM {schedules} WHERE next_run_at IS NOT NULL),
    (SELECT MIN(expires_at) FROM {jobs} WHERE expires_at IS NOT NULL AND run = 0
        AND state IN ('blocked', 'queued', 'retrying', 'scheduled') AND state <> 'blocked'),
    {now}
"""
_UNHEARD = """
SELECT %s WHERE EXISTS (
    SELECT 1 FROM {jobs} WHERE state = 'queued' AND priority = %s AND queue = %s
        AND (run_at < %s OR run_at > %s)
) AND NOT EXISTS (SELECT 1 FROM {pauses} WHERE name = %s AND paused_at IS NOT NULL)
"""
#: A job that has been ready for this long was not heard of.
UNHEARD_AFTER = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class NextDue:
    """When there is something to do.

    Attributes:
        now: by the database's clock.
        job: when the next scheduled or retrying job is due.
        occurrence: when the next schedule is.
        expiry: when the next waiting job expires.
    """

    now: datetime
    job: datetime | None
    occurrence: datetime | None
    expiry: datetime | None


def next_due() -> NextDue:
    """Return when the next thing is due, by one statement on three partial indexes."""
    quote = connection.ops.quote_name
    statement = _NEXT.format(
        jobs=quote(Job._meta.db_table),
        schedules=quote(Schedule._meta.db_table),
        now="clock_timestamp()" if connection.vendor == "postgresql" else "NULL",
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        job, occurrence, expiry, now = map(_aware, cursor.fetchone())
    return NextDue(now or database_now(), job, occurrence, expiry)


def promote_due(*, now: datetime | None = None) -> int:
    """Move scheduled and retrying jobs whose time has come to `queued`, and ring for them.

    Returns:
        How many were moved. Safe in any number of processes at once.
    """
    now = now or database_now()
    lock = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    table = connection.ops.quote_name(Job._meta.db_table)
    moved = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                _PROMOTE.format(table=table, lock=lock),
                [connection.ops.adapt_datetimefield_value(now), _AT_ONCE],
            )
            rows = cursor.fetchall()
        ring({queue for _, _, queue, *_ in rows})
        moved_at = timezone.now()
        for job_id, job_type, _, tenant, run, run_at in rows:
            due = _aware(run_at) or now
            emit(_queued(job_id, job_type, tenant, run, due=due, at=moved_at))
        moved += len(rows)
        if len(rows) < _AT_ONCE:
            return moved


def _queued(
    job_id: UUID | str, job_type: str, tenant: str, run: int, *, due: datetime, at: datetime
) -> Event:
    before = State.RETRYING if run else State.SCHEDULED
    late = {"late_seconds": round(max(0.0, (at - due).total_seconds()), 6)}
    job = as_uuid(job_id)
    return Event(EventName.QUEUED, at, job, job_type, State.QUEUED, before, late, tenant)


def ring_again(*, now: datetime | None = None) -> set[str]:
    """Ring for every queue that has waiting work and no ring on its way; return those queues."""
    now = now or database_now()
    unheard = _unheard(now)
    waiting = waiting_rings(unheard) if unheard else set()
    if waiting is None:  # the broker is away
        return set()
    ring(unheard - waiting, anyone=True)  # who was chosen, if anyone was, has not answered
    return unheard - waiting


def _unheard(now: datetime) -> set[str]:
    """Return the queues with a job that has been ready for a while, the paused ones left out.

    One statement, which looks into each queue for one such job.
    """
    quote = connection.ops.quote_name
    look = _UNHEARD.format(jobs=quote(Job._meta.db_table), pauses=quote(Queue._meta.db_table))
    adapt = connection.ops.adapt_datetimefield_value
    # In the future: a host whose clock is ahead has submitted it.
    times = [adapt(now - UNHEARD_AFTER), adapt(now + UNHEARD_AFTER)]
    params: list[Any] = []
    for name, priority in registry.priorities_of_queues().items():
        params += [name, int(priority), name, *times, name]
    count = len(registry.priorities_of_queues())
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join([look] * count), params)
        return {name for (name,) in cursor.fetchall()}


def _aware(value: object) -> datetime | None:
    """Return a datetime that came through a raw cursor: SQLite's has no zone, or is text."""
    if value is None:
        return None
    told = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return told if told.tzinfo else told.replace(tzinfo=UTC)
