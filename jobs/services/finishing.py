"""The end of each run, recorded: once, by whoever still has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from jobs.domain.events import Event, EventName
from jobs.domain.outcomes import (
    Cancelled,
    Completed,
    Failed,
    Lost,
    Outcome,
    Released,
    Retrying,
    Snoozed,
)
from jobs.domain.states import FailureReason, State
from jobs.models import Attempt, Job
from jobs.selectors.clock import database_now
from jobs.services.attempts import ended_attempt, outcome_of, told_of
from jobs.services.batch_life import end_batches_after_commit
from jobs.services.dependencies import settle_after_commit
from jobs.services.doorbell import ring_after_commit
from jobs.services.events import emit, emit_all, emit_job, event_of, with_its_events
from jobs.services.json_rows import JsonRows, as_uuid, json_rows
from jobs.services.transactions import sparing_the_callers

logger = structlog.get_logger(__name__)
_Incomplete = Failed | Cancelled | Retrying | Snoozed | Released | Lost
# By the ids alone: see `jobs.services.taking` for `IS TRUE`. That the run is one makes PostgreSQL
# expect few rows, so that it looks each of them up by its id, however small the table.
_COMPLETE = """
UPDATE {table} AS job SET state = 'completed', result = given.result, progress = 100, losses = 0,
    alone = false, started_at = given.started_at, finished_at = given.finished_at
FROM {given}
WHERE given.run BETWEEN 1 AND 2147483647 AND job.id = given.id
    AND (job.state = 'running') IS TRUE AND job.run = given.run AND job.worker_id IS {not_other} %s
RETURNING {job_id}, {followed}
"""


def current_run(job: Job) -> QuerySet[Job]:
    """Return the job's row if this run of it is still the one that counts: the fence.

    A worker that was believed dead finds nothing here, so it cannot overwrite the run that
    replaced its own.
    """
    return Job.objects.filter(
        pk=job.pk,
        state=State.RUNNING,
        run=job.run,
        worker_id=job.worker_id,  # type: ignore[misc] # None: taken without a worker
    )


def finish(job: Job, outcome: Outcome, *, now: datetime | None = None) -> bool:
    """Record how a run ended.

    Returns:
        False if another run has replaced this one: nothing was recorded then.
    """
    moment = now or _moment_of(outcome)
    if isinstance(outcome, Completed):
        return finish_completed([CompletedRun(job, outcome.result, moment)]) == 1
    recorded = _finish(job, outcome, moment)
    if not recorded:
        _warn_of_late(job)
    return recorded


@dataclass(frozen=True, slots=True)
class CompletedRun:
    """A run that completed and is not recorded yet.

    Attributes:
        job: as it was taken.
        result: plain JSON data.
        finished_at: by the clock that timed its start.
    """

    job: Job
    result: Any
    finished_at: datetime


def finish_completed(runs: Sequence[CompletedRun]) -> int:
    """Record that runs completed, all by one statement; those that were replaced are left alone.

    Args:
        runs: all of one worker.

    Returns:
        How many were recorded.
    """
    if not runs:
        return 0
    # In the order of their ids, as all lock jobs who lock several.
    rows = [
        (run.job.id, run.job.run, run.job.started_at, run.finished_at, run.result)
        for run in sorted(runs, key=lambda run: run.job.id)
    ]
    worker_id: UUID | str | None = runs[0].job.worker_id
    if connection.vendor != "postgresql" and isinstance(worker_id, UUID):
        worker_id = worker_id.hex
    told = []
    with with_its_events():
        with sparing_the_callers(), connection.cursor() as cursor:
            cursor.execute(_complete(connection.vendor), [_given().document(rows), worker_id])
            recorded = {as_uuid(job_id): followed for job_id, followed in cursor.fetchall()}
        for run in runs:
            if run.job.id in recorded:
                told.append(_end_event(run.job, State.COMPLETED, run.finished_at))
            else:
                _warn_of_late(run.job)
        emit_all(told)
        settle_after_commit([job_id for job_id, followed in recorded.items() if followed])
        end_batches_after_commit(run.job.batch_id for run in runs if run.job.id in recorded)
    return len(recorded)


@cache
def _complete(vendor: str) -> str:
    on_postgresql = vendor == "postgresql"
    return _COMPLETE.format(
        table=connection.ops.quote_name(Job._meta.db_table),
        given=_given().source(),
        not_other="NOT DISTINCT FROM" if on_postgresql else "",
        # SQLite knows no other table there, and no alias.
        job_id="job.id" if on_postgresql else "id",
        followed="job.followed" if on_postgresql else "followed",
    )


def _given() -> JsonRows:
    return json_rows("id", "run", "started_at", "finished_at", "result")


def _warn_of_late(job: Job) -> None:
    logger.warning("late_outcome_refused", job_id=str(job.pk), run=job.run)


def _moment_of(outcome: Outcome) -> datetime:
    """Return when a run ended.

    What ends for good is timed by the clock that timed its start. What goes on later is due by the
    clock that all share, which costs a statement, so that a host whose clock is wrong delays none.
    """
    return timezone.now() if isinstance(outcome, Completed | Failed | Cancelled) else database_now()


def _finish(job: Job, outcome: _Incomplete, now: datetime) -> bool:
    match outcome:
        case Failed(reason=reason, error=error):
            ended = ended_attempt(job, outcome_of(error), now, error)
            return _end(job, State.FAILED, now, ended, failure_reason=reason, **told_of(error))
        case Cancelled(message=message):
            ended = ended_attempt(job, Attempt.Outcome.CANCELLED, now, message=message)
            return _end(job, State.CANCELLED, now, ended, error=ended.error)
        case Retrying(delay=delay, error=error):
            ended = ended_attempt(job, outcome_of(error), now, error)
            return _again(job, ended, now + delay, now, **told_of(error))
        case Snoozed(delay=delay, message=message):
            ended = ended_attempt(job, Attempt.Outcome.SNOOZED, now, message=message)
            return _again(job, ended, now + delay, now, attempt=F("attempt") - 1)
        case Released(why=why, alone=alone):
            ended = ended_attempt(job, Attempt.Outcome.RELEASED, now, message=why)
            return _release(job, ended, now, alone=alone)
        case Lost():
            return _lost(job, outcome, now)


_TOLD_IN_EVENTS = ("failure_reason", "error_type")
_EVENT = {
    State.COMPLETED: EventName.COMPLETED,
    State.FAILED: EventName.FAILED,
    State.CANCELLED: EventName.CANCELLED,
}


def _end(job: Job, state: State, now: datetime, ended: Attempt, **changes: Any) -> bool:
    with transaction.atomic():
        changed = current_run(job).update(
            **{**_fresh(job), **changes, "state": state, "finished_at": now}
        )
        if changed:
            ended.save(force_insert=True)
            details = {key: str(value) for key, value in changes.items() if key in _TOLD_IN_EVENTS}
            emit(_end_event(job, state, now, **details))
            settle_after_commit([job.pk])
            end_batches_after_commit([job.batch_id])
    return bool(changed)


def _end_event(job: Job, state: State, now: datetime, **details: str) -> Event:
    job.state, job.finished_at = state, now
    took = (now - job.started_at).total_seconds() if job.started_at else None
    told = {"attempt": job.attempt, "duration_seconds": took, **details}
    return event_of(_EVENT[state], job, before=State.RUNNING, at=now, **told)


def _fresh(job: Job) -> dict[str, Any]:
    """Return what holds after a run that was not lost; in a take of several the later ones wait."""
    return {"losses": 0, "alone": False, "started_at": job.started_at}


def _again(job: Job, ended: Attempt, run_at: datetime, now: datetime, **changes: Any) -> bool:
    """Put the job off to its next run, or cancel it if someone asked for that meanwhile."""
    ended.retry_at = run_at
    with transaction.atomic():
        changed = (
            current_run(job)
            .filter(cancel_requested_at__isnull=True)
            .update(**{**_fresh(job), **changes, "state": State.RETRYING, "run_at": run_at})
        )
        if changed:
            ended.save(force_insert=True)
            job.state, job.run_at = State.RETRYING, run_at
            emit_job(
                EventName.RETRYING,
                job,
                before=State.RUNNING,
                attempt=job.attempt,
                retry_at=run_at.isoformat(),
                outcome=str(ended.outcome),
            )
    return bool(changed) or _finish(job, Cancelled("cancelled on request"), now)


def _release(job: Job, ended: Attempt, now: datetime, *, alone: bool) -> bool:
    """Make the job ready again as if this run had not been, or cancel it if someone asked for it.

    How often it was lost stays as it is: the next run may be lost for the same reason.
    """
    changes = {"attempt": F("attempt") - 1, "alone": F("alone") if not alone else True}
    with transaction.atomic():
        changed = (
            current_run(job)
            .filter(cancel_requested_at__isnull=True)
            .update(**changes, state=State.QUEUED, run_at=now)
        )
        if changed:
            ended.save(force_insert=True)
            ring_after_commit(job.queue)
            job.state, job.run_at = State.QUEUED, now
            details: dict[str, Any] = {"attempt": job.attempt, "outcome": str(ended.outcome)}
            emit_job(EventName.RETRYING, job, before=State.RUNNING, **details)
    return bool(changed) or _finish(job, Cancelled("cancelled on request"), now)


def _lost(job: Job, outcome: Lost, now: datetime) -> bool:
    told = {"error_type": "WorkerLost", "error": outcome.why}
    ended = ended_attempt(job, Attempt.Outcome.LOST, now, message=outcome.why)
    ended.error_type = told["error_type"]
    if outcome.delay is None:
        reason = FailureReason.WORKER_LOST
        losses = {"losses": outcome.losses, "failure_reason": reason}
        return _end(job, State.FAILED, now, ended, **losses, **told)
    lost = {"losses": outcome.losses, "alone": True}
    return _again(job, ended, now + outcome.delay, now, **lost, **told)
