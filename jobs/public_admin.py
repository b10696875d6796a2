"""What the products' admin pages share with the engine's: the base of the lists, and the look."""

from jobs.admin.display import badge, duration, exact, first_line, full_moment, moment, period
from jobs.admin.filters import PeriodFilter
from jobs.admin.links import link_to_job
from jobs.admin.read_only import ListAdmin, ReadOnlyAdmin
from jobs.admin.tenancy import own, tenant_of

__all__ = [
    "ListAdmin",
    "PeriodFilter",
    "ReadOnlyAdmin",
    "badge",
    "duration",
    "exact",
    "first_line",
    "full_moment",
    "link_to_job",
    "moment",
    "own",
    "period",
    "tenant_of",
]
