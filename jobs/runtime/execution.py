"""What passes through the middleware chain: one run of one job."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel

from jobs.domain.context import JobContext
from jobs.domain.job_types import JobType
from jobs.domain.outcomes import Outcome, RetryPolicy
from jobs.models import Job
from jobs.selectors.policy import policy_of


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of one job.

    Attributes:
        job: the row as it was taken; middleware reads it and never writes it.
        job_type: the declaration.
        params: the checked parameters.
        context: what the handler gets.
    """

    job: Job
    job_type: JobType
    params: BaseModel
    context: JobContext

    @property
    def policy(self) -> RetryPolicy:
        """What decides whether another attempt follows."""
        return policy_of(self.job)


#: The rest of the chain, as a middleware sees it.
Next = Callable[[Execution], Outcome]
