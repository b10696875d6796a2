"""What a job waits for: other jobs, and what their failure means to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, cast, get_args
from uuid import UUID

from jobs.domain.errors import InvalidOption
from jobs.domain.ids import checked_uuid

OnFailure = Literal["fail", "skip", "continue"]
#: Jobs that one job may wait for.
MOST = 10_000
#: The error type of a job that ended because one that it waited for had.
PASSED_ON = "DependencyFailed"


class Verdict(StrEnum):
    """What came of one thing that a job waits for."""

    PENDING = ""
    #: The other job completed, or its failure does not matter.
    MET = "met"
    #: The other job failed, was cancelled or is gone, and that does matter.
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class After:
    """A job that another one waits for.

    Attributes:
        job_id: its id.
        on_failure: what becomes of the one that waits if this one fails or is cancelled: it fails
            too, it is skipped (cancelled), or it goes on as if nothing had happened.
    """

    job_id: UUID
    on_failure: OnFailure = "fail"

    def __post_init__(self) -> None:
        object.__setattr__(self, "job_id", checked_uuid("depends_on", self.job_id))
        if self.on_failure not in get_args(OnFailure):
            raise InvalidOption(
                f"on_failure must be fail, skip or continue, not {str(self.on_failure)[:40]!r}"
            )


def checked_dependencies(given: Any) -> tuple[After, ...]:
    """Return what a job waits for, in the order given.

    Args:
        given: ids, submissions or `After`; None for nothing.

    Raises:
        InvalidOption: something else is among them, one job is named twice, or there are too many.
    """
    if given is None:
        return ()
    if isinstance(given, str | UUID | After) or not isinstance(given, Iterable):
        raise InvalidOption(f"depends_on must be a list of jobs, not {str(given)[:40]!r}")
    named = tuple(each if isinstance(each, After) else After(cast(UUID, each)) for each in given)
    if len(named) > MOST:
        raise InvalidOption(f"depends_on names {len(named)} jobs; a job may wait for {MOST}")
    seen = set[UUID]()
    for each in named:
        if each.job_id in seen:
            raise InvalidOption(f"depends_on names job {each.job_id} twice")
        seen.add(each.job_id)
    return named
