"""The job: the one row that is the truth about it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from jobs.domain.dependencies import After
from jobs.domain.options import MAX_KEY_LENGTH
from jobs.domain.priority import Priority
from jobs.domain.states import FINAL, TIMED, WAITING, FailureReason, State
from jobs.domain.unique import Claim


def new_job_id() -> UUID:
    """Return a UUIDv7: ids sort by the moment they were made (RFC 9562, 5.7)."""
    return uuid7()


def in_states(states: Collection[State]) -> Q:
    """Return what asks for jobs in these states, in the very words of the partial indexes.

    SQLite uses a partial index only where the question says the same as its condition, to the
    order of the states.
    """
    ordered = sorted(states)
    return Q(state=ordered[0]) if len(ordered) == 1 else Q(state__in=ordered)


class Job(models.Model):
    """A unit of work. Only `jobs.services` write here."""

    class Trigger(models.TextChoices):
        """What made the job."""

        CODE = "code"
        TASK = "task"
        SCHEDULE = "schedule"
        MANUAL = "manual"
        JOB = "job"

    class PrioritySource(models.TextChoices):
        """Who chose the priority."""

        SUBMISSION = "submission"
        DECIDER = "decider"
        TYPE = "type"

    id = models.UUIDField(primary_key=True, default=new_job_id, editable=False)
    job_type = models.CharField(max_length=100)
    #: Whose it is: the slug of a `Tenant`, or empty. No foreign key: it costs each insert a look.
    tenant = models.CharField(max_length=50, blank=True, default="", db_default="")
    #: The Celery queue whose doorbell is rung: `high`, or `mail.high`.
    queue = models.CharField(max_length=60)
    priority = models.PositiveSmallIntegerField(
        choices=[(each.value, each.label) for each in Priority], default=Priority.NORMAL
    )
    priority_source = models.CharField(
        max_length=10, choices=PrioritySource.choices, default=PrioritySource.TYPE
    )
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in State])
    params = models.JSONField(default=dict)
    result = models.JSONField(null=True, blank=True)

    #: Attempts spent since the submission or the last retry by hand, this one included.
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField()
    #: How often the job was taken. It only grows, so with `worker` it fences late writes.
    run = models.PositiveIntegerField(default=0)
    #: Runs in a row that ended with the death of their worker.
    losses = models.PositiveSmallIntegerField(default=0)
    #: Of one attempt.
    timeout = models.DurationField()
    #: The job's own back-off; null for its type's.
    backoff = models.JSONField(null=True, blank=True)

    created_at = models.DateTimeField()
    #: When it may run: now for a queued job, ahead for a scheduled or retrying one.
    run_at = models.DateTimeField()
    #: When it was to run at first, if that was ahead; `run_at` moves on with each retry.
    scheduled_for = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    #: A job that has not started by then fails as expired; null: it may wait for ever.
    expires_at = models.DateTimeField(null=True, blank=True)
    #: Its worker died with it in a take of several, so that nobody knows which of them it was:
    #: it is taken alone from now on.
    alone = models.BooleanField(default=False)

    worker = models.ForeignKey(
        "jobs.Worker",
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="jobs",
    )
    #: Whether other jobs wait for its end, or have waited.
    followed = models.BooleanField(default=False, db_default=False)
    #: The process that runs it, on the worker's host.
    pid = models.PositiveIntegerField(null=True, blank=True)

    progress = models.PositiveSmallIntegerField(default=0)
    progress_message = models.CharField(max_length=200, blank=True, default="")

    failure_reason = models.CharField(
        max_length=20, blank=True, default="", choices=[(r.value, r.value) for r in FailureReason]
    )
    error_type = models.CharField(max_length=200, blank=True, default="")
    error = models.TextField(blank=True, default="")

    idempotency_key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 - NULLs never collide
    #: No more jobs of its type with the same one run at once than the type says; empty: none.
    concurrency_key = models.CharField(
        max_length=MAX_KEY_LENGTH, blank=True, default="", db_default=""
    )
    trigger = models.CharField(max_length=10, choices=Trigger.choices, default=Trigger.CODE)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="children",
        db_constraint=False,
        db_index=False,
    )
    batch = models.ForeignKey(
        "jobs.Batch",
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        related_name="jobs",
        db_constraint=False,
        db_index=False,
    )
    schedule = models.ForeignKey(
        "jobs.Schedule",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="jobs",
        db_index=False,
    )
    #: The moment of the schedule that this job is for; null when someone triggered it by hand.
    occurrence = models.DateTimeField(null=True, blank=True)
    event_id = models.UUIDField(null=True, blank=True)
    trace_id = models.CharField(max_length=32, blank=True, default="")

    #: The tags of a job that is to be stored; those of a stored one are rows.
    new_tags: tuple[str, ...] = ()
    #: What a job that is to be stored waits for.
    new_dependencies: tuple[After, ...] = ()
    #: Whether a job that is to be stored has to be the only one like it.
    new_claim: Claim | None = None

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["tenant", "job_type", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="job_tenant_idempotency_key",
            ),
            models.UniqueConstraint(
                fields=["schedule", "occurrence"],
                condition=Q(occurrence__isnull=False),
                name="job_occurrence",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in State]), name="job_state"
            ),
            models.CheckConstraint(
                condition=Q(priority__in=[p.value for p in Priority]), name="job_priority"
            ),
            models.CheckConstraint(condition=Q(progress__lte=100), name="job_progress"),
            models.CheckConstraint(condition=Q(max_attempts__gte=1), name="job_max_attempts"),
            models.CheckConstraint(
                condition=Q(state__in=sorted(FINAL)) ^ Q(finished_at__isnull=True),
                name="job_final_is_finished",
            ),
        ]
        # Partial indexes that match the hot statements: each holds the few rows that one looks for.
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["priority", "id"], condition=Q(state=State.QUEUED), name="job_ready"
            ),
            models.Index(fields=["run_at"], condition=in_states(TIMED), name="job_due"),
            models.Index(
                fields=["expires_at"],
                condition=Q(state__in=sorted(WAITING), expires_at__isnull=False),
                name="job_expiring",
            ),
            models.Index(fields=["worker"], condition=Q(state=State.RUNNING), name="job_running"),
            models.Index(
                fields=["state", "job_type", "finished_at"],
                condition=Q(finished_at__isnull=False),
                name="job_finished",
            ),
            # There is none on every state: what completed is most of the table, and is found along
            # the primary key, and each entry more is a write more for each change of a state.
            models.Index(
                fields=["state", "-finished_at"],
                condition=Q(state=State.FAILED),
                name="job_latest_failed",
            ),
            models.Index(
                fields=["-id"], condition=Q(state=State.CANCELLED), name="job_latest_cancelled"
            ),
            models.Index(fields=["job_type", "-id"], name="job_by_type"),
            models.Index(fields=["tenant", "-id"], condition=~Q(tenant=""), name="job_by_tenant"),
            models.Index(
                fields=["tenant"],
                condition=Q(state=State.QUEUED) & ~Q(tenant=""),
                name="job_ready_of_tenant",
            ),
            models.Index(
                fields=["created_by", "-id"],
                condition=Q(created_by__isnull=False),
                name="job_by_owner",
            ),
            models.Index(
                fields=["schedule"], condition=Q(schedule__isnull=False), name="job_by_schedule"
            ),
            models.Index(
                fields=["schedule"],
                condition=Q(schedule__isnull=False) & in_states(set(State) - FINAL),
                name="job_live_of_schedule",
            ),
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="job_children"),
            models.Index(
                fields=["batch", "state"], condition=Q(batch__isnull=False), name="job_of_batch"
            ),
            models.Index(
                fields=["event_id"], condition=Q(event_id__isnull=False), name="job_by_event"
            ),
        ]
        default_permissions = ("view", "delete")
        permissions = (
            ("submit_job", "Can submit jobs"),
            ("cancel_job", "Can cancel jobs"),
            ("retry_job", "Can retry jobs"),
        )

    def __str__(self) -> str:
        return f"{self.job_type} {self.id}"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to the job by itself."""
        return State(self.state) in FINAL

    @property
    def next_retry_at(self) -> datetime | None:
        """When the next attempt is due, if the job waits for one."""
        return self.run_at if self.state == State.RETRYING else None

    @property
    def run_time(self) -> timedelta | None:
        """How long the last run took, or None while it has not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at

    @property
    def priority_label(self) -> str:
        """The priority's name."""
        return Priority(self.priority).label
