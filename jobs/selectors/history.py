"""What happened to a job: its attempts and its timeline, put together from the rows there are."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from jobs.domain.dependencies import PASSED_ON
from jobs.domain.states import TIMED, FailureReason, State
from jobs.models import Attempt, AuditEntry, Dependency, Job
from jobs.selectors.workers import worker_name

#: What people do that makes a job.
_MADE = frozenset({"job.submit", "job.trigger"})


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One run of a job, as people read it."""

    run: int
    number: int
    outcome: str
    worker: str
    pid: int | None
    started_at: datetime
    finished_at: datetime | None
    retry_at: datetime | None = None
    error_type: str = ""
    error: str = ""
    traceback: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it took, or None while it runs."""
        if self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a job's timeline."""

    at: datetime
    before: str
    after: str
    actor: str = ""
    worker: str = ""
    note: str = ""


def attempts(job: Job) -> list[AttemptView]:
    """Return every run of the job, oldest first: the ended ones, and the one its row tells of."""
    ended = [_ended(attempt) for attempt in job.ended_attempts.order_by("run")]
    told_by_row = job.state in (State.RUNNING, State.COMPLETED) and job.started_at is not None
    if told_by_row and job.started_at is not None:
        ended.append(
            AttemptView(
                run=job.run,
                number=job.attempt,
                outcome="running" if job.state == State.RUNNING else "completed",
                worker=worker_name(job.worker_id),
                pid=job.pid,
                started_at=job.started_at,
                finished_at=job.finished_at,
            )
        )
    return ended


def timeline(job: Job) -> list[Moment]:
    """Return every transition of the job, oldest first."""
    first = State.SCHEDULED if job.scheduled_for else State.QUEUED
    blocked = _Blocked.of(job)
    if blocked is not None:
        first = State.BLOCKED
    entries = _entries(job)
    made = next((entry for entry in entries if entry.action in _MADE), None)
    acts = [_act(entry) for entry in entries if entry is not made]
    moments = [Moment(job.created_at, "", first, actor=_origin(job, made), note=_occasion(job))]
    if blocked is not None:
        moments += blocked.end(job)
    wait = _Wait(State.SCHEDULED, job.created_at, job.scheduled_for)
    if blocked is not None and not blocked.leaves_scheduled(job):
        wait = _Wait(State.SCHEDULED, job.created_at, None)
    for run in attempts(job):
        moments += wait.end(acts, not_after=run.started_at)
        moments.append(
            Moment(run.started_at, State.QUEUED, State.RUNNING, worker=run.worker,
                   note=f"run {run.run}, attempt {run.number}")
        )  # fmt: skip
        if run.finished_at is not None:
            moments.append(_end_of(run, job))
        wait = _Wait(State.RETRYING, run.finished_at or run.started_at, run.retry_at)
    if job.state not in TIMED:
        moments += wait.end(acts)
    if job.failure_reason == FailureReason.EXPIRED and job.finished_at is not None:
        moments.append(
            Moment(job.finished_at, State.QUEUED, State.FAILED, actor="timekeeper", note="expired")
        )
    return sorted([*moments, *acts], key=lambda moment: moment.at)


@dataclass(frozen=True, slots=True)
class _Blocked:
    """The time in which a job waited for others; `until` is None while it does."""

    until: datetime | None

    @classmethod
    def of(cls, job: Job) -> "_Blocked | None":
        """Return when the job was blocked; None if it never was."""
        found = Dependency.objects.filter(child=job).aggregate(
            edges=Count("pk"), settled=Count("settled_at"), last=Max("settled_at")
        )
        if not found["edges"]:
            return None
        return cls(found["last"] if found["settled"] == found["edges"] else None)

    def leaves_scheduled(self, job: Job) -> bool:
        """Return whether its own time was still ahead when it waited for nothing else."""
        return bool(self.until and job.scheduled_for and job.scheduled_for > self.until)

    def end(self, job: Job) -> list[Moment]:
        """Return the line of its end: let go, or ended with what it waited for."""
        if job.error_type == PASSED_ON and job.is_final and job.finished_at is not None:
            return [Moment(job.finished_at, State.BLOCKED, job.state, note=job.error)]
        if self.until is None:
            return []
        after = State.SCHEDULED if self.leaves_scheduled(job) else State.QUEUED
        return [Moment(self.until, State.BLOCKED, after, note="what it waited for has ended")]


@dataclass(frozen=True, slots=True)
class _Wait:
    """A time that a job waited for; `due` is None if it waited for none."""

    state: State
    since: datetime
    due: datetime | None

    def end(self, acts: list[Moment], *, not_after: datetime | None = None) -> list[Moment]:
        """Return the line of the wait's end: none if someone stepped in before."""
        if self.due is None:
            return []
        # Two clocks may differ a little, the database's and the worker's.
        at = min(self.due, not_after) if not_after else self.due
        if any(self.since <= act.at < at and act.after for act in acts):
            return []
        return [Moment(at, self.state, State.QUEUED, actor="timekeeper")]


def _ended(attempt: Attempt) -> AttemptView:
    return AttemptView(
        run=attempt.run,
        number=attempt.number,
        outcome=attempt.outcome,
        worker=attempt.worker_name,
        pid=attempt.pid,
        started_at=attempt.started_at,
        finished_at=attempt.finished_at,
        retry_at=attempt.retry_at,
        error_type=attempt.error_type,
        error=attempt.error,
        traceback=attempt.traceback,
    )


def _origin(job: Job, made: AuditEntry | None) -> str:
    """Return by whom or by what the job was made."""
    if made is not None:
        return made.actor
    trigger = Job.Trigger(job.trigger)
    if trigger == Job.Trigger.MANUAL:
        return str(job.created_by or "hand")
    told = {
        Job.Trigger.SCHEDULE: f"schedule {job.schedule.name}" if job.schedule else "schedule",
        Job.Trigger.JOB: f"job {job.parent_id}",
        Job.Trigger.TASK: "Celery message",
    }
    who = told.get(trigger, "code")
    return f"{who}, for {job.created_by}" if job.created_by else who


def _occasion(job: Job) -> str:
    by_hand = job.trigger == Job.Trigger.MANUAL and job.schedule is not None
    return f"schedule {job.schedule.name}, run now" if by_hand and job.schedule else ""


def _end_of(attempt: AttemptView, job: Job) -> Moment:
    after = {
        "completed": State.COMPLETED,
        "cancelled": State.CANCELLED,
        "snoozed": State.RETRYING,
        "released": State.QUEUED,
    }.get(attempt.outcome, State.RETRYING if attempt.retry_at else State.FAILED)
    note = attempt.error_type or (attempt.outcome if attempt.outcome == "snoozed" else "")
    if after == State.FAILED and job.failure_reason and attempt.run == job.run:
        note = f"{note} ({job.failure_reason})"
    finished = attempt.finished_at or attempt.started_at
    return Moment(finished, State.RUNNING, after, worker=attempt.worker, note=note)


def _entries(job: Job) -> list[AuditEntry]:
    entries = AuditEntry.objects.filter(target_type="job", target_id=str(job.pk))
    return list(entries.order_by("id"))


def _act(entry: AuditEntry) -> Moment:
    before = str(entry.details.get("before", ""))
    if before == State.RUNNING:
        return Moment(entry.at, "", "", actor=entry.actor, note="asked it to stop")
    after = {"job.retry": State.QUEUED, "job.cancel": State.CANCELLED}.get(entry.action)
    if entry.action == "job.retry":
        after = State(entry.details.get("after", State.QUEUED))
    if after is None:
        return Moment(entry.at, "", "", actor=entry.actor, note=entry.action)
    note = entry.details.get("note", "")
    return Moment(entry.at, before, after, actor=entry.actor, note=note)
