"""What queues, schedules and workers look like."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from jobs.domain.priority import PriorityName
from jobs.domain.schedules import MissedName, OverlapName


class Queue(BaseModel):
    """A queue."""

    name: str
    ready: int = Field(description="Jobs that the next free slot may take.")
    running: int
    oldest: datetime | None = Field(description="Since when its oldest ready job is ready.")
    paused: bool
    paused_at: datetime | None
    paused_by: str | None


class Steered(BaseModel):
    """Which queues were changed: those that already were so are not among them."""

    queues: list[str]


class Schedule(BaseModel):
    """A schedule."""

    id: int
    name: str
    type: str
    tenant: str | None
    params: dict[str, Any]
    cron: str
    time_zone: str
    priority: PriorityName | None = Field(description="Null: the type's own.")
    enabled: bool
    overlap: OverlapName
    missed: MissedName
    starts_at: datetime | None
    ends_at: datetime | None
    jitter_seconds: int
    next_run_at: datetime | None
    last_run_at: datetime | None
    last_error: str | None = Field(description="Why its last occurrence made no job.")


class SchedulePage(BaseModel):
    """A page of schedules."""

    items: list[Schedule]
    next: str | None = Field(description="The `cursor` of the next page; null: this is the last.")


class Occurrences(BaseModel):
    """When a schedule runs next."""

    occurrences: list[datetime]


class Simulation(BaseModel):
    """What a change of a schedule would lead to."""

    before: list[datetime] = Field(description="Its next runs as it is, fifty at most.")
    after: list[datetime] = Field(description="Its next runs as it would be.")
    notes: list[str] = Field(description="Such as days on which the clocks change.")


class Collision(BaseModel):
    """A minute in which several schedules run."""

    at: datetime
    schedules: list[str]


class Worker(BaseModel):
    """A worker that has not left."""

    id: UUID
    name: str
    host: str
    pid: int
    health: Literal["healthy", "ailing", "lost"] = Field(
        description="`ailing`: it says itself that it is not well; `lost`: its lease ran out."
    )
    ailment: str | None
    queues: list[str]
    concurrency: int = Field(description="Jobs that it can run at once now.")
    min_concurrency: int | None = Field(description="Null: it does not scale.")
    max_concurrency: int | None
    running: int = Field(description="Jobs that it runs now.")
    pool: str
    profile: str | None
    memory_bytes: int | None
    version: str
    started_at: datetime
    seen_at: datetime
    uptime_seconds: float
