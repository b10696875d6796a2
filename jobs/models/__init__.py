"""The tables: jobs and their attempts, workers, queues, schedules, and what people did."""

from jobs.models.api_key import ApiKey
from jobs.models.attempt import Attempt
from jobs.models.audit import AuditEntry, AuditHead
from jobs.models.batch import Batch
from jobs.models.breaker import Breaker
from jobs.models.dependency import Dependency
from jobs.models.hook_source import HookSource
from jobs.models.job import Job, in_states, new_job_id
from jobs.models.job_tag import JobTag
from jobs.models.leadership import Leadership
from jobs.models.log_line import LogLine
from jobs.models.queue import Queue
from jobs.models.removal import Removal
from jobs.models.schedule import Schedule
from jobs.models.tenant import Tenant, TenantMember
from jobs.models.unique_hold import UniqueHold
from jobs.models.worker import Worker
from jobs.models.worker_profile import WorkerProfile

__all__ = [
    "ApiKey",
    "Attempt",
    "AuditEntry",
    "AuditHead",
    "Batch",
    "Breaker",
    "Dependency",
    "HookSource",
    "Job",
    "JobTag",
    "Leadership",
    "LogLine",
    "Queue",
    "Removal",
    "Schedule",
    "Tenant",
    "TenantMember",
    "UniqueHold",
    "Worker",
    "WorkerProfile",
    "in_states",
    "new_job_id",
]
