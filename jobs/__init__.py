"""Background jobs for Django: what a module that declares job types imports."""

from jobs.domain.backoff import Backoff
from jobs.domain.context import JobContext
from jobs.domain.dependencies import After
from jobs.domain.outcomes import Cancel, PermanentError, Retry, Snooze
from jobs.domain.priority import Priority
from jobs.domain.registry import job_type
from jobs.domain.sensitive import Sensitive

__all__ = [
    "After",
    "Backoff",
    "Cancel",
    "JobContext",
    "PermanentError",
    "Priority",
    "Retry",
    "Sensitive",
    "Snooze",
    "job_type",
]
