"""Making a job for each occurrence of a schedule, and when someone asks."""

from datetime import datetime
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs.domain.errors import JobsError
from jobs.domain.events import Event, EventName
from jobs.domain.priority import Priority
from jobs.domain.registry import registry
from jobs.domain.states import State
from jobs.domain.submission import Submission
from jobs.models import Job, Schedule
from jobs.selectors.clock import database_now
from jobs.selectors.outages import OUTAGES
from jobs.services.audit import record
from jobs.services.building import build
from jobs.services.encryption import open_params
from jobs.services.events import emit
from jobs.services.schedules import next_run
from jobs.services.submission import announce

logger = structlog.get_logger(__name__)
_AT_ONCE = 100


def trigger(schedule: Schedule, *, actor: str, created_by_id: Any = None) -> Submission:
    """Run a schedule's job now; its next occurrence stays as it is."""
    with transaction.atomic():
        job = _job(schedule, trigger=Job.Trigger.MANUAL, created_by_id=created_by_id)
        job.save(force_insert=True)
        record(
            actor=actor,
            action="schedule.trigger",
            target_type="schedule",
            target_id=schedule.pk,
            tenant=schedule.tenant,
            name=schedule.name,
            job_id=str(job.pk),
        )
        # On the job too, so that its timeline says who.
        record(
            actor=actor, action="job.trigger", target_type="job", target_id=job.pk,
            tenant=job.tenant,
        )  # fmt: skip
        announce(job)
    return Submission(job_id=job.pk, state=State(job.state))


def fire_due(*, now: datetime | None = None) -> int:
    """Make a job for each schedule whose time has come; return how many were made.

    Occurrences that were missed while nothing kept time run once, not once each. Safe in any
    number of processes: an occurrence is unique, and each schedule is moved on by a guarded update.
    """
    now = now or database_now()
    due = Schedule.objects.filter(enabled=True, next_run_at__lte=now).order_by("next_run_at")
    return sum(_fire(schedule, schedule.next_run_at, now) for schedule in list(due[:_AT_ONCE]))


def plan_unplanned(*, now: datetime | None = None) -> None:
    """Set the next occurrence of enabled schedules that have none, such as a migration's."""
    now = now or database_now()
    unplanned = Schedule.objects.filter(enabled=True, next_run_at=None, last_error="")
    for schedule in unplanned[:_AT_ONCE]:
        try:
            following = next_run(schedule, now)
        except JobsError as error:
            _set_error(schedule, None, None, error)
        else:
            Schedule.objects.filter(pk=schedule.pk, next_run_at=None).update(next_run_at=following)


def _fire(schedule: Schedule, occurrence: datetime | None, now: datetime) -> bool:
    if occurrence is None:
        return False
    try:
        following = next_run(schedule, now)
    except JobsError as error:
        _set_error(schedule, occurrence, None, error)
        return False
    try:
        with transaction.atomic():
            moved = Schedule.objects.filter(pk=schedule.pk, next_run_at=occurrence).update(
                next_run_at=following, last_run_at=occurrence, last_error=""
            )
            if not moved:
                return False
            job = _job(schedule, trigger=Job.Trigger.SCHEDULE, occurrence=occurrence)
            job.save(force_insert=True)
            announce(job)
            emit(_executed(schedule, job, occurrence))
    except IntegrityError:
        logger.info("occurrence_exists", schedule=schedule.name, occurrence=str(occurrence))
        Schedule.objects.filter(pk=schedule.pk, next_run_at=occurrence).update(
            next_run_at=following
        )
        return False
    except OUTAGES:
        raise
    except Exception as error:  # noqa: BLE001 - also what a validator of someone's model raises
        _set_error(schedule, occurrence, following, error)
        return False
    return True


def _job(schedule: Schedule, *, trigger: str, **fields: Any) -> Job:
    occurrence = fields.pop("occurrence", None)
    job_type = registry.get(schedule.job_type)
    params = open_params(job_type, schedule.params) if job_type.sensitive else schedule.params
    job = build(
        job_type,
        params,
        now=timezone.now(),
        priority=None if schedule.priority is None else Priority(schedule.priority),
        trigger=trigger,
        tenant=schedule.tenant,
        **fields,
    )
    job.schedule, job.occurrence = schedule, occurrence
    return job


def _set_error(
    schedule: Schedule, occurrence: datetime | None, following: datetime | None, error: Exception
) -> None:
    """Say on the schedule why it made no job, and go on with the next occurrence."""
    logger.error("schedule_failed", schedule=schedule.name, error=str(error))
    told = str(error) if isinstance(error, JobsError) else f"{type(error).__name__}: {error}"
    Schedule.objects.filter(pk=schedule.pk, next_run_at=occurrence).update(
        next_run_at=following, last_error=told
    )


def _executed(schedule: Schedule, job: Job, occurrence: datetime) -> Event:
    return Event(
        EventName.SCHEDULE_EXECUTED,
        timezone.now(),
        job_id=job.pk,
        job_type=job.job_type,
        state=job.state,
        details={"schedule": schedule.name, "occurrence": occurrence.isoformat()},
        tenant=schedule.tenant,
    )
