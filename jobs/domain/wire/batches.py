"""What batches look like."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from jobs.domain.states import State
from jobs.domain.wire.submissions import BulkAccepted


class Batch(BaseModel):
    """Jobs that belong together."""

    id: UUID
    name: str
    tenant: str | None
    state: Literal["open", "running", "finished", "cancelled"]
    total: int = Field(description="Jobs that were ever put in.")
    ended: int
    percent: int = Field(description="How much of it has ended.")
    counts: dict[State, int] = Field(description="Its jobs by state, zeros left out.")
    leads_to: dict[str, str] = Field(
        description="The job types that its end leads to, by `on_complete` and so on."
    )
    created_at: datetime
    closed_at: datetime | None = Field(description="Since when it ends once its jobs have.")
    finished_at: datetime | None
    last_error: str | None = Field(description="Why its end did not lead to what it was to.")


class BatchPage(BaseModel):
    """A page of batches."""

    items: list[Batch]
    next: str | None = Field(description="The `cursor` of the next page; null: this is the last.")


class BatchAccepted(BulkAccepted):
    """What became of jobs that were put into a batch."""

    batch_id: UUID = Field(alias="batchId")
