"""Whether there is room on the disk of the site's data."""

import shutil
from pathlib import Path

from django.conf import settings

from maintenance.conf import maintenance_settings
from maintenance.outcomes import Unhealthy
from maintenance.registry import health_check


@health_check("disk", required=True)
def check_disk() -> str:
    """Look at the disk that holds JOBSITE_VAR."""
    usage = shutil.disk_usage(_existing(settings.ENV.jobsite_var))
    free_ratio = usage.free / usage.total
    told = f"{free_ratio:.0%} is free"
    wanted = maintenance_settings().min_free_disk_ratio
    if free_ratio < wanted:
        raise Unhealthy(f"{told}; at least {wanted:.0%} should be")
    return told


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there yet."""
    folder = folder.absolute()
    return next(each for each in (folder, *folder.parents) if each.exists())
