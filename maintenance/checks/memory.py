"""Whether there is memory left."""

import psutil

from maintenance.conf import maintenance_settings
from maintenance.outcomes import Unhealthy
from maintenance.registry import health_check

_MIB = 1024**2


@health_check("memory", required=True)
def check_memory() -> str:
    """Look at what the host has available, and at what this process holds."""
    settings = maintenance_settings()
    host = psutil.virtual_memory()
    available_ratio = host.available / host.total
    rss = psutil.Process().memory_info().rss
    told = f"{available_ratio:.0%} is available; this process holds {rss // _MIB} MiB"
    if available_ratio < settings.min_available_memory_ratio:
        raise Unhealthy(f"{told}; at least {settings.min_available_memory_ratio:.0%} should be")
    if rss > settings.max_rss_bytes:
        raise Unhealthy(f"{told}; it should be {settings.max_rss_bytes // _MIB} MiB at most")
    return told
