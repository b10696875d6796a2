"""What this machine has for jobs: cores and memory, as far as this process is confined to them."""

import math
import os
from pathlib import Path

import psutil

_CGROUP = Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """Return the cores that this process may use: by its affinity, and by its control group."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(cores, math.ceil(_quota_of_cores() or cores)))


def memory_bytes() -> int:
    """Return the memory of this machine, or of its control group if that is less."""
    total: int = psutil.virtual_memory().total
    limits = (_number(name) for name in ("memory.max", "memory/memory.limit_in_bytes"))
    return min([total, *(int(limit) for limit in limits if limit)])


def _quota_of_cores() -> float | None:
    quota, _, period = _text("cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        return int(quota) / int(period)
    old, every = _number("cpu/cpu.cfs_quota_us"), _number("cpu/cpu.cfs_period_us")
    return old / every if old and every else None


def _number(name: str) -> int | None:
    """Return what a file of the control group says; None for no limit, which is said as `max`."""
    text = _text(name)
    return int(text) if text.isdigit() else None


def _text(name: str) -> str:
    try:
        return (_CGROUP / name).read_text().strip()
    except OSError:
        return ""
