"""What jobs and job types look like."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from jobs.domain.backoff import Jitter, Kind
from jobs.domain.dependencies import OnFailure
from jobs.domain.priority import PriorityName
from jobs.domain.states import FailureReason, State


class Backoff(BaseModel):
    """The wait after each failed attempt."""

    kind: Kind
    base_seconds: float
    cap_seconds: float
    factor: float
    jitter: Jitter


class Job(BaseModel):
    """A job; it also has an id for each row of another app that belongs to it one to one."""

    model_config = ConfigDict(extra="allow")

    id: UUID
    type: str
    tenant: str | None = Field(description="Whose it is; null: nobody's.")
    tags: list[str]
    state: State
    queue: str
    priority: PriorityName
    priority_source: Literal["submission", "decider", "type"]
    params: dict[str, Any]
    result: Any = Field(description="What its handler returned; null before, and if nothing.")
    progress: int = Field(description="In percent.")
    progress_message: str
    attempt: int = Field(description="Attempts spent, the present one included.")
    max_attempts: int
    run: int = Field(description="How often it was taken; it only grows.")
    timeout_seconds: float
    backoff: Backoff
    created_at: datetime
    run_at: datetime
    expires_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    next_retry_at: datetime | None
    cancel_requested: bool = Field(description="It runs, and was asked to stop.")
    failure_reason: FailureReason | None
    error_type: str | None
    error: str | None
    retryable: bool = Field(description="A retry may help.")
    idempotency_key: str | None
    concurrency_key: str | None
    trigger: str
    created_by_id: Any
    parent_id: UUID | None
    batch_id: UUID | None
    schedule_id: int | None
    occurrence: datetime | None
    event_id: UUID | None
    trace_id: str


class Attempt(BaseModel):
    """One attempt of a job."""

    number: int
    run: int
    outcome: str
    worker: str
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    retry_at: datetime | None
    error_type: str | None
    error: str | None
    traceback: str | None


class Moment(BaseModel):
    """One moment of a job's timeline."""

    at: datetime
    before: str | None = Field(alias="from")
    after: str | None = Field(alias="to")
    actor: str | None
    worker: str | None
    note: str | None


class LogLine(BaseModel):
    """One line of a job's own log, with the fields that its handler gave."""

    model_config = ConfigDict(extra="allow")

    at: datetime
    level: str
    message: str


class Dependency(BaseModel):
    """A job that another one waits for, or that waits for another one."""

    job_id: UUID = Field(description="The one that is told of.")
    type: str | None = Field(description="Null once it was removed.")
    state: State | None = Field(description="Null once it was removed.")
    on_failure: OnFailure = Field(description="What a failure means to the one that waits.")
    verdict: Literal["pending", "met", "failed"]
    settled_at: datetime | None


class WholeJob(Job):
    """A job with all that is known of it."""

    attempts: list[Attempt]
    timeline: list[Moment]
    log: list[LogLine]
    depends_on: list[Dependency] = Field(description="What it waits for: the first hundred.")
    followers: list[Dependency] = Field(description="What waits for it: the first hundred.")


class JobPage(BaseModel):
    """A page of jobs."""

    items: list[Job]
    next: str | None = Field(description="The `cursor` of the next page; null: this is the last.")


class JobType(BaseModel):
    """A job type, with the options that hold for its jobs."""

    name: str
    description: str
    queue: str = Field(description="Its own queue; empty: the site's four.")
    priority: PriorityName
    max_attempts: int
    timeout_seconds: float
    concurrency: int | None = Field(description="So many run at once; null: any number.")
    concurrency_per_key: int | None = Field(description="Of those with the same key.")
    backoff: Backoff
    params: dict[str, Any] | None = Field(
        description="JSON Schema of its parameters; null where JSON Schema cannot tell them."
    )


class Changed(BaseModel):
    """How many there were."""

    count: int = Field(description="How many were changed by this request.")
    left: bool = Field(description="There are more: repeat the request.")
