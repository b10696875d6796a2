"""Retrying and cancelling many jobs at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from jobs.admin.links import short_id
from jobs.domain.errors import InvalidTransition, JobNotFound
from jobs.domain.states import State
from jobs.models import Job
from jobs.services import steering

#: Jobs that one request steers: it must end before a proxy loses its patience.
AT_ONCE: Final = 1000
_TOLD = 5


@dataclass(slots=True)
class Tally:
    """What became of a selection."""

    done: int = 0
    #: Running jobs that were asked to stop, and do in a moment.
    asked: int = 0
    #: The reason for each job that was left as it is.
    refused: list[str] = field(default_factory=list)

    @property
    def reasons(self) -> str:
        """The first few reasons, and how many more there are."""
        more = len(self.refused) - _TOLD
        told = "; ".join(self.refused[:_TOLD])
        return f"{told}; and {more} more" if more > 0 else told


def retry(job_ids: Iterable[UUID], *, actor: str) -> Tally:
    """Queue each of the jobs again that can be."""
    return _each(job_ids, lambda job_id: steering.retry(job_id, actor=actor))


def cancel(job_ids: Iterable[UUID], *, actor: str) -> Tally:
    """Cancel each of the jobs that can be."""
    return _each(job_ids, lambda job_id: steering.cancel(job_id, actor=actor))


def _each(job_ids: Iterable[UUID], act: Callable[[UUID], Job]) -> Tally:
    tally = Tally()
    for job_id in job_ids:
        try:
            job = act(job_id)
        except (InvalidTransition, JobNotFound) as error:
            tally.refused.append(str(error).replace(str(job_id), short_id(job_id)))
        else:
            if job.state == State.RUNNING:
                tally.asked += 1
            else:
                tally.done += 1
    return tally
