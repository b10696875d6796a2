"""Whether the workers keep up, and the jobs succeed."""

from jobs import public
from maintenance.conf import maintenance_settings
from maintenance.outcomes import Unhealthy
from maintenance.registry import health_check


@health_check("job-queue", required=True)
def check_job_queue() -> str:
    """Count the ready jobs and the dead letters."""
    settings = maintenance_settings()
    waiting, failed = sum(public.queue_depths().values()), public.dead()
    if waiting >= settings.max_waiting_jobs or failed >= settings.max_failed_jobs:
        raise Unhealthy(f"Job queue unhealthy: {waiting} waiting, {failed} failed")
    return "Job queue healthy"
