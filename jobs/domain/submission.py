"""What a submission is given as one of many, and what its caller gets back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from jobs.domain.errors import SubmissionError
from jobs.domain.options import SubmitOptions
from jobs.domain.states import State


@dataclass(frozen=True, slots=True)
class Submission:
    """An accepted job.

    Attributes:
        job_id: its id.
        state: the state it is in: `queued`, or `scheduled` if its time is ahead.
        duplicate: True if the idempotency key was known and `job_id` is the earlier job's.
        replaced: True if, beyond that, `on_duplicate="replace"` changed that job.
    """

    job_id: UUID
    state: State = State.QUEUED
    duplicate: bool = False
    replaced: bool = False

    @property
    def message(self) -> str:
        """What became of the submission, in words."""
        if self.replaced:
            return "replaced"
        return "known by its key" if self.duplicate else "accepted"

    def as_json(self) -> dict[str, Any]:
        """Return what programs are answered: `message`, `jobId`, `state` and `duplicate`."""
        return {
            "message": self.message,
            "jobId": str(self.job_id),
            "state": str(self.state),
            "duplicate": self.duplicate,
        }


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be submitted together with others.

    Attributes:
        job_type: the name of a registered type.
        params: the type's model, or what it validates.
        options: see `SubmitOptions`.
    """

    job_type: str
    params: BaseModel | Mapping[str, Any] | None = None
    options: SubmitOptions = field(default_factory=SubmitOptions)


@dataclass(slots=True)
class BulkSubmission:
    """What became of jobs that were submitted together.

    Attributes:
        submissions: in the order of the jobs; None where one was refused.
        errors: why, by the place in that order, from 0.
    """

    submissions: list[Submission | None] = field(default_factory=list)
    errors: dict[int, SubmissionError] = field(default_factory=dict)

    @property
    def job_ids(self) -> list[UUID | None]:
        """The jobs' ids, in the order in which they were given; None where one was refused."""
        return [each.job_id if each else None for each in self.submissions]


@dataclass(frozen=True, slots=True)
class BatchSubmission:
    """A batch that was made.

    Attributes:
        batch_id: its id.
        submitted: what became of its jobs.
    """

    batch_id: UUID
    submitted: BulkSubmission
