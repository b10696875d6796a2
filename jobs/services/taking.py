"""Taking ready jobs: the one guarded statement by which a job becomes a worker's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from jobs.domain.events import EventName
from jobs.domain.outcomes import Cancelled
from jobs.domain.priority import Priority
from jobs.domain.states import State
from jobs.models import Job, Queue
from jobs.services.doorbell import ring_after_commit
from jobs.services.events import emit_job
from jobs.services.finishing import finish
from jobs.services.hydration import hydrator

# What may be taken: ready, not expired, of a queue that is not paused, best first.
_READY = """
    SELECT id, priority, alone FROM {table}
    WHERE state = 'queued' AND {in_queues}{and_only}
        AND (expires_at IS NULL OR expires_at > %s OR run > 0)
        AND queue NOT IN (SELECT name FROM {pauses} WHERE paused_at IS NOT NULL)
    ORDER BY priority, id LIMIT %s {lock}
"""
# Of several, a job that must be alone is taken only as the first, and then by itself.
_SEVERAL = """
    SELECT id FROM (
        SELECT id, alone, ROW_NUMBER() OVER best AS place, FIRST_VALUE(alone) OVER best AS first
        FROM ({ready}) AS ready WINDOW best AS (ORDER BY priority, id)
    ) AS ranked
    WHERE place = 1 OR NOT (alone OR first)
"""
# On PostgreSQL the state stands a second time, as `IS TRUE`, so that the planner goes by the ids
# it was given and never walks the backlog by a partial index.
_POSTGRESQL = """
UPDATE {table} SET {changes} WHERE id = ANY(ARRAY({chosen})) AND (state = 'queued') IS TRUE
RETURNING {columns}
"""
_SQLITE = "UPDATE {table} SET {changes} WHERE id IN ({chosen}) RETURNING {columns}"
_ONE = "SELECT id FROM ({ready}) AS ready"
_CHANGES = """
state = 'running', run = run + 1, attempt = attempt + 1, worker_id = %s, pid = %s,
started_at = %s, progress = 0, progress_message = '', error = '', error_type = ''
"""


#: What a run needs; the rest is read when someone asks for it.
_WANTED = (
    "id", "job_type", "tenant", "queue", "priority", "params", "attempt", "max_attempts", "run",
    "losses", "timeout", "backoff", "alone", "parent", "schedule", "event_id", "trace_id",
    "created_by", "concurrency_key", "batch",
)  # fmt: skip
#: What the statement makes of the rest.
_TAKEN = {
    "state": State.RUNNING.value, "finished_at": None, "cancel_requested_at": None, "progress": 0,
    "progress_message": "", "error": "", "error_type": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes: a worker (None: this process, without one), and the process that runs the jobs."""

    worker_id: UUID | None
    pid: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a take is narrowed to.

    Attributes:
        priority: only jobs of this one; None: of all.
        types: only jobs of these types; None: of all.
        but_types: no jobs of these types.
        but_tenants: no jobs of these tenants.
        but_keys: no jobs with these concurrency keys, each with its job type before it.
    """

    priority: Priority | None = None
    types: Collection[str] | None = None
    but_types: Collection[str] = ()
    but_tenants: Collection[str] = ()
    but_keys: Collection[tuple[str, str]] = ()

    @property
    def nothing(self) -> bool:
        """Whether no job can be meant."""
        return self.types is not None and not self.types

    def as_sql(self) -> tuple[str, list[Any]]:
        """Return the conditions, each after an AND, and their parameters."""
        conditions, params = "", list[Any]()
        if self.priority is not None:
            conditions += " AND priority = %s"
            params.append(int(self.priority))
        for column, names, said in (
            ("job_type", self.types, "IN"),
            ("job_type", self.but_types, "NOT IN"),
            ("tenant", self.but_tenants, "NOT IN"),
        ):
            if names:
                conditions += f" AND {column} {said} ({', '.join(['%s'] * len(names))})"
                params += names
        if self.but_keys:
            rows = ", ".join(["(%s, %s)"] * len(self.but_keys))
            conditions += (
                f" AND (concurrency_key = '' OR (job_type, concurrency_key) NOT IN (VALUES {rows}))"
            )
            params += [part for key in self.but_keys for part in key]
        return conditions, params


ALL = Wanted()


def take(
    taker: Taker,
    queues: Sequence[str],
    *,
    limit: int = 1,
    wanted: Wanted = ALL,
    now: datetime | None = None,
) -> list[Job]:
    """Take up to so many ready jobs from these queues, best first: by priority, then by age.

    However many processes take at once, each job goes to one of them. What is paused, expired or
    cancelled is not taken. A job that its worker may have died of is taken alone.

    Args:
        taker: who takes.
        queues: the queues to take from.
        limit: at most so many.
        wanted: which of their jobs.
        now: the moment, by which jobs expire; the present one if None.
    """
    if not queues or wanted.nothing:
        return []
    now = now or timezone.now()
    adapt = connection.ops.adapt_datetimefield_value
    names: list[Any] = [list(queues)] if connection.vendor == "postgresql" else [*queues]
    worker_id: Any = taker.worker_id
    if connection.vendor != "postgresql" and taker.worker_id is not None:
        worker_id = taker.worker_id.hex
    and_only, narrowed = wanted.as_sql()
    params = [worker_id, taker.pid, adapt(now), *names, *narrowed, adapt(now), limit]
    taken = hydrator(*_WANTED)
    with connection.cursor() as cursor:
        cursor.execute(_statement(limit > 1, len(queues), and_only, taken.columns), params)
        rows = cursor.fetchall()
    same = {"worker_id": taker.worker_id, "pid": taker.pid, "started_at": now, **_TAKEN}
    jobs = [taken.job(row, same) for row in rows]
    if len(jobs) > 1:
        jobs.sort(key=lambda job: (job.priority, job.id))  # RETURNING has no order
    return jobs


def _statement(several: bool, queues: int, and_only: str, columns: str) -> str:
    quote = connection.ops.quote_name
    table, pauses = quote(Job._meta.db_table), quote(Queue._meta.db_table)
    on_postgresql = connection.vendor == "postgresql"
    places = "ANY(%s)" if on_postgresql else f"({', '.join(['%s'] * queues)})"
    ready = _READY.format(
        table=table,
        pauses=pauses,
        in_queues=f"queue {'=' if on_postgresql else 'IN'} {places}",
        and_only=and_only,
        lock="FOR UPDATE SKIP LOCKED" if on_postgresql else "",
    )
    chosen = (_SEVERAL if several else _ONE).format(ready=ready)
    statement = _POSTGRESQL if on_postgresql else _SQLITE
    return statement.format(table=table, changes=_CHANGES, chosen=chosen, columns=columns)


def announce_start(job: Job) -> None:
    """Tell that a taken job is being run now."""
    told = {"attempt": job.attempt, "pid": job.pid}
    emit_job(EventName.STARTED, job, before=State.QUEUED, at=job.started_at, **told)


def give_back(jobs: Sequence[Job]) -> int:
    """Make taken jobs ready again that have not been started; no attempt is spent.

    Returns:
        How many were given back: one that someone asked to cancel meanwhile ends as cancelled,
        and a run that was replaced is left alone.
    """
    given = 0
    takes: dict[tuple[UUID | None, int], list[Job]] = {}
    for job in jobs:
        takes.setdefault((job.worker_id, job.run), []).append(job)
    for (worker_id, run), taken in takes.items():
        mine = Job.objects.filter(
            pk__in=[job.pk for job in taken],
            state=State.RUNNING,
            worker_id=worker_id,  # type: ignore[misc] # None: taken without a worker
            run=run,
        )
        with transaction.atomic():
            back = mine.filter(cancel_requested_at__isnull=True).update(
                state=State.QUEUED, attempt=F("attempt") - 1, started_at=None
            )
            for queue in {job.queue for job in taken}:
                ring_after_commit(queue)
        given += back
        if back < len(taken):
            for job in mine.filter(cancel_requested_at__isnull=False):
                finish(job, Cancelled("cancelled on request"))
    return given
