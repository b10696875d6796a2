"""What travels over HTTP: what the API answers, and what its client reads.

Times are aware, lengths of time are in seconds.
"""

from jobs.domain.wire.batches import Batch, BatchAccepted, BatchPage
from jobs.domain.wire.figures import (
    Depths,
    Metrics,
    Spread,
    Stats,
    TypePerformance,
)
from jobs.domain.wire.jobs import (
    Attempt,
    Backoff,
    Changed,
    Dependency,
    Job,
    JobPage,
    JobType,
    LogLine,
    Moment,
    WholeJob,
)
from jobs.domain.wire.problems import (
    ProblemDetails,
    WrongField,
)
from jobs.domain.wire.site import (
    Collision,
    Occurrences,
    Queue,
    Schedule,
    SchedulePage,
    Simulation,
    Steered,
    Worker,
)
from jobs.domain.wire.submissions import (
    Accepted,
    BulkAccepted,
    Refusal,
)

__all__ = [
    "Accepted",
    "Attempt",
    "Backoff",
    "Batch",
    "BatchAccepted",
    "BatchPage",
    "BulkAccepted",
    "Changed",
    "Collision",
    "Dependency",
    "Depths",
    "Job",
    "JobPage",
    "JobType",
    "LogLine",
    "Metrics",
    "Moment",
    "Occurrences",
    "ProblemDetails",
    "Queue",
    "Refusal",
    "Schedule",
    "SchedulePage",
    "Simulation",
    "Spread",
    "Stats",
    "Steered",
    "TypePerformance",
    "WholeJob",
    "Worker",
    "WrongField",
]
