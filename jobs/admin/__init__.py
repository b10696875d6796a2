"""The engine's pages in Django's admin site."""

from jobs.admin.api_keys import ApiKeyAdmin
from jobs.admin.audit import AuditEntryAdmin
from jobs.admin.batches import BatchAdmin
from jobs.admin.breakers import BreakerAdmin
from jobs.admin.hook_sources import HookSourceAdmin
from jobs.admin.jobs import JobAdmin
from jobs.admin.queues import QueueAdmin
from jobs.admin.schedules import ScheduleAdmin
from jobs.admin.site import name_the_site
from jobs.admin.tenants import TenantAdmin, TenantMemberAdmin
from jobs.admin.worker_profiles import WorkerProfileAdmin
from jobs.admin.workers import WorkerAdmin

__all__ = [
    "ApiKeyAdmin",
    "AuditEntryAdmin",
    "BatchAdmin",
    "BreakerAdmin",
    "HookSourceAdmin",
    "JobAdmin",
    "QueueAdmin",
    "ScheduleAdmin",
    "TenantAdmin",
    "TenantMemberAdmin",
    "WorkerAdmin",
    "WorkerProfileAdmin",
]

name_the_site()
