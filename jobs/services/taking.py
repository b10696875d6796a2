"""Taking ready jobs: the one guarded statement by which a job becomes a worker's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.utils import timezone

from jobs.domain.events import EventName
from jobs.domain.states import State
from jobs.models import Job
from jobs.services.events import emit_job

# The state stands a second time, as `IS TRUE`, so that the planner goes by the ids it was given
# and never walks the backlog by a partial index.
_POSTGRESQL = """
UPDATE {table} SET {changes}
WHERE id = ANY(ARRAY(
    SELECT id FROM {table}
    WHERE state = 'queued' AND queue = ANY(%s)
    ORDER BY priority, id LIMIT %s FOR UPDATE SKIP LOCKED
)) AND (state = 'queued') IS TRUE
RETURNING *
"""
_SQLITE = """
UPDATE {table} SET {changes}
WHERE id IN (
    SELECT id FROM {table}
    WHERE state = 'queued' AND queue IN ({places})
    ORDER BY priority, id LIMIT %s
)
RETURNING *
"""
_CHANGES = """
state = 'running', run = run + 1, attempt = attempt + 1, worker_id = %s, pid = %s,
started_at = %s, progress = 0, progress_message = '', error = '', error_type = ''
"""


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes: a worker (None: this process, without one), and the process that runs the jobs."""

    worker_id: UUID | None
    pid: int


def take(
    taker: Taker, queues: Sequence[str], *, limit: int = 1, now: datetime | None = None
) -> list[Job]:
    """Take up to so many ready jobs from these queues, best first: by priority, then by age.

    However many processes take at once, each job goes to one of them.
    """
    if not queues:
        return []
    now = now or timezone.now()
    table = connection.ops.quote_name(Job._meta.db_table)
    adapt = connection.ops.adapt_datetimefield_value
    if connection.vendor == "postgresql":
        statement = _POSTGRESQL.format(table=table, changes=_CHANGES)
        wanted: list[object] = [list(queues)]
        worker_id: object = taker.worker_id
    else:
        places = ", ".join(["%s"] * len(queues))
        statement = _SQLITE.format(table=table, changes=_CHANGES, places=places)
        wanted = list(queues)
        worker_id = taker.worker_id.hex if taker.worker_id else None
    params = [worker_id, taker.pid, adapt(now), *wanted, limit]
    taken = sorted(
        Job.objects.raw(statement, params),
        key=lambda job: (job.priority, job.pk),  # RETURNING has no order
    )
    for job in taken:
        emit_job(EventName.STARTED, job, before=State.QUEUED, attempt=job.attempt, pid=taker.pid)
    return taken
