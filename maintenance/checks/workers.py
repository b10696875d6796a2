"""Whether someone does the work."""

from jobs import public
from maintenance.outcomes import Unhealthy
from maintenance.registry import health_check


@health_check("workers", required=True)
def check_workers() -> str:
    """Look for at least one worker whose lease holds."""
    counts = public.worker_counts()
    told = f"{counts['healthy']} of {counts['expected']} workers are alive"
    if counts["healthy"] < 1:
        raise Unhealthy(f"{told}; start one with `celery -A jobsite worker`")
    return told
