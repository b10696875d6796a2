"""Making a job for each occurrence of a schedule, and when someone asks."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from jobs.domain.errors import JobsError
from jobs.domain.events import Event, EventName
from jobs.domain.priority import Priority
from jobs.domain.registry import registry
from jobs.domain.schedules import MISSED_AFTER, MOST_MADE_UP_FOR, Missed, jittered
from jobs.domain.states import State
from jobs.domain.submission import Submission
from jobs.models import Job, Schedule
from jobs.selectors.clock import database_now
from jobs.selectors.outages import OUTAGES
from jobs.services.audit import record
from jobs.services.building import build
from jobs.services.dependencies import store_dependencies
from jobs.services.encryption import open_params
from jobs.services.events import emit
from jobs.services.overlap import Overlapping, clear_the_way
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

    What becomes of an occurrence while a job of the one before has not ended, and of those that
    were missed while nothing kept time, is the schedule's own policy. Safe in any number of
    processes: an occurrence is unique, and each schedule is moved on by a guarded update.
    """
    now = now or database_now()
    due = Schedule.objects.filter(enabled=True, next_run_at__lte=now).order_by("next_run_at")
    return sum(_fire(schedule, schedule.next_run_at, now) for schedule in list(due[:_AT_ONCE]))


def plan_unplanned(*, now: datetime | None = None) -> None:
    """Set the next occurrence of enabled schedules that have none, such as a migration's."""
    now = now or database_now()
    goes_on = Q(ends_at=None) | Q(ends_at__gt=now)
    unplanned = Schedule.objects.filter(goes_on, enabled=True, next_run_at=None, last_error="")
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
        occurrence, following = _chosen(schedule, occurrence, now)
    except JobsError as error:
        _set_error(schedule, schedule.next_run_at, None, error)
        return False
    planned = Schedule.objects.filter(pk=schedule.pk, next_run_at=schedule.next_run_at)
    if occurrence is None:
        planned.update(next_run_at=following, last_error="skipped: nothing kept time")
        return False
    try:
        with transaction.atomic():
            moved = planned.update(next_run_at=following, last_run_at=occurrence, last_error="")
            return bool(moved) and _make(schedule, occurrence)
    except IntegrityError:
        logger.info("occurrence_exists", schedule=schedule.name, occurrence=str(occurrence))
        planned.update(next_run_at=following)
    except OUTAGES:
        raise
    except Exception as error:  # noqa: BLE001 - also what a validator of someone's model raises
        _set_error(schedule, schedule.next_run_at, following, error)
    return False


def _make(schedule: Schedule, occurrence: datetime) -> bool:
    """Make the occurrence's job, unless one before it is in its way."""
    try:
        waits_for = clear_the_way(schedule)
    except Overlapping as overlap:
        Schedule.objects.filter(pk=schedule.pk).update(
            last_run_at=schedule.last_run_at, last_error=str(overlap)
        )
        return False
    jitter = timedelta(seconds=schedule.jitter_seconds)
    job = _job(
        schedule,
        trigger=Job.Trigger.SCHEDULE,
        occurrence=occurrence,
        run_at=jittered(occurrence, jitter, seed=schedule.pk) if jitter else None,
        depends_on=waits_for,
    )
    job.save(force_insert=True)
    store_dependencies([job])
    announce(job)
    emit(_executed(schedule, job, occurrence))
    return True


def _chosen(
    schedule: Schedule, occurrence: datetime, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """Return the occurrence that makes a job now, if any does, and the next one that is planned."""
    missed = Missed(schedule.missed)
    if missed == Missed.ALL:
        left = _latest(schedule, occurrence, now, most=MOST_MADE_UP_FOR)
        if left[0] > occurrence:
            logger.warning("occurrences_given_up", schedule=schedule.name, until=str(left[0]))
        return left[0], left[1] if len(left) > 1 else next_run(schedule, now)
    following = next_run(schedule, now)
    if missed == Missed.SKIP and now - occurrence > MISSED_AFTER:
        # The latest may be the one of this very minute.
        latest = _latest(schedule, max(occurrence, now - MISSED_AFTER), now, most=1)
        return (latest[0] if latest else None), following
    return occurrence, following


def _latest(schedule: Schedule, first: datetime, now: datetime, *, most: int) -> list[datetime]:
    """Return the latest occurrences from the first one to now, so many at most."""
    span = MISSED_AFTER
    while True:
        begin = max(first, now - span)
        found = list(_between(schedule, begin, now))
        if len(found) >= most or begin == first:
            return found[-most:]
        span *= 4


def _between(schedule: Schedule, first: datetime, now: datetime) -> Iterator[datetime]:
    following = next_run(schedule, first - timedelta(microseconds=1))
    while following is not None and following <= now:
        yield following
        following = next_run(schedule, following)


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
