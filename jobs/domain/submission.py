"""What the caller of a submission gets back."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

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
