"""Which rules hold for a job: its own, else its type's, else the site's."""

from datetime import timedelta
from typing import Any

from jobs.conf import jobs_settings
from jobs.domain.backoff import Backoff
from jobs.domain.errors import JobTimeout
from jobs.domain.outcomes import RetryPolicy
from jobs.domain.registry import registry
from jobs.models import Job


def backoff_as_json(backoff: Backoff) -> dict[str, Any]:
    """Return a back-off as it is stored with a job and told to programs."""
    return {
        "kind": backoff.kind,
        "base_seconds": backoff.base.total_seconds(),
        "cap_seconds": backoff.cap.total_seconds(),
        "factor": backoff.factor,
        "jitter": backoff.jitter,
    }


def backoff_of(job: Job) -> Backoff:
    """Return the job's back-off."""
    if job.backoff is not None:
        return Backoff(
            kind=job.backoff["kind"],
            base=timedelta(seconds=job.backoff["base_seconds"]),
            cap=timedelta(seconds=job.backoff["cap_seconds"]),
            factor=job.backoff["factor"],
            jitter=job.backoff["jitter"],
        )
    declared = registry.get(job.job_type).backoff if job.job_type in registry else None
    return declared or jobs_settings().backoff


def policy_of(job: Job) -> RetryPolicy:
    """Return what decides whether another attempt follows."""
    permanent: tuple[type[BaseException], ...] = ()
    if job.job_type in registry:
        declared = registry.get(job.job_type)
        permanent = declared.permanent_errors
        if not declared.retry_on_timeout:
            permanent = (*permanent, JobTimeout)
    return RetryPolicy(max_attempts=job.max_attempts, backoff=backoff_of(job), permanent=permanent)
