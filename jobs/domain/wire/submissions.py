"""What becomes of submissions."""

from uuid import UUID

from pydantic import BaseModel, Field

from jobs.domain.wire.problems import WrongField


class Accepted(BaseModel):
    """What became of a submission."""

    message: str
    job_id: UUID = Field(alias="jobId")
    state: str = Field(description="`queued`, or `scheduled` if its time is ahead.")
    duplicate: bool = Field(description="The key was known: this is the earlier job.")


class Refusal(BaseModel):
    """Why one of them was not accepted."""

    index: int = Field(description="Its place among those that were sent, from 0.")
    code: str
    detail: str
    errors: list[WrongField] = Field(default=[])


class BulkAccepted(BaseModel):
    """What became of jobs that were submitted together."""

    message: str
    job_ids: list[UUID | None] = Field(
        alias="jobIds", description="In the order in which they were sent; null: refused."
    )
    duplicates: list[int] = Field(description="Places whose key was known: the earlier jobs' ids.")
    errors: list[Refusal]
