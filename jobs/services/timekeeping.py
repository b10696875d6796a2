"""What happens because time passes: due jobs become ready, and unheard bells ring again."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection

from jobs.domain.events import Event, EventName
from jobs.domain.priority import Priority, queue_name
from jobs.domain.registry import registry
from jobs.domain.states import State
from jobs.models import Job, Schedule
from jobs.selectors.clock import database_now
from jobs.services.doorbell import backend, ring
from jobs.services.events import emit

_AT_ONCE = 1000
_PROMOTE = """
UPDATE {table} SET state = 'queued'
WHERE id IN (
    SELECT id FROM {table}
    WHERE state IN ('scheduled', 'retrying') AND run_at <= %s
    ORDER BY run_at LIMIT %s {lock}
) AND (state IN ('scheduled', 'retrying')) IS TRUE
RETURNING id, job_type, queue, run
"""
_NEXT = """
SELECT
    (SELECT MIN(run_at) FROM {jobs} WHERE state IN ('scheduled', 'retrying')),
    (SELECT MIN(next_run_at) FROM {schedules} WHERE next_run_at IS NOT NULL)
"""
#: A job that has been ready for this long was not heard of.
UNHEARD_AFTER = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class NextDue:
    """When there is something to do: the next due job, and the next occurrence of a schedule."""

    job: datetime | None
    occurrence: datetime | None


def next_due() -> NextDue:
    """Return when the next thing is due, by one statement on two partial indexes."""
    quote = connection.ops.quote_name
    statement = _NEXT.format(
        jobs=quote(Job._meta.db_table), schedules=quote(Schedule._meta.db_table)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        job, occurrence = cursor.fetchone()
    return NextDue(_aware(job), _aware(occurrence))


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
        ring({queue for _, _, queue, _ in rows})
        for job_id, job_type, _, run in rows:
            emit(_queued(job_id, job_type, State.RETRYING if run else State.SCHEDULED, now))
        moved += len(rows)
        if len(rows) < _AT_ONCE:
            return moved


def _queued(job_id: UUID | str, job_type: str, before: State, now: datetime) -> Event:
    found = job_id if isinstance(job_id, UUID) else UUID(job_id)
    return Event(EventName.QUEUED, now, found, job_type, State.QUEUED, before)


def ring_again(*, now: datetime | None = None) -> set[str]:
    """Ring for every queue that has waiting work and no ring on its way; return those queues."""
    now = now or database_now()
    unheard = {queue for queue in _queues() if _has_unheard(*queue, before=now - UNHEARD_AFTER)}
    silent = backend().silent({name for name, _ in unheard})
    ring(silent)
    return silent


def _queues() -> list[tuple[str, Priority]]:
    return [(queue_name(own, each), each) for own in ["", *registry.queues()] for each in Priority]


def _has_unheard(queue: str, priority: Priority, *, before: datetime) -> bool:
    return Job.objects.filter(
        state=State.QUEUED, priority=priority, queue=queue, run_at__lt=before
    ).exists()


def _aware(value: object) -> datetime | None:
    """Return a datetime that came through a raw cursor, which SQLite gives as text."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)
