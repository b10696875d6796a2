"""The counters and histograms of runs, in Prometheus' own library.

With `PROMETHEUS_MULTIPROC_DIR` set, as the site's settings do, every process of a host writes to
the files of that folder, and `exposition` adds them up.
"""

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from jobs.conf import jobs_settings
from jobs.selectors import counts

registry = CollectorRegistry()
executed = Counter("jobsite_job_executed", "Runs that completed.", ["job_type"], registry=registry)
failed = Counter(
    "jobsite_job_failed",
    "Jobs that failed for good.",
    ["job_type", "error_type"],
    registry=registry,
)
retried = Counter(
    "jobsite_job_retry_attempts", "Runs that another one follows.", ["job_type"], registry=registry
)
duration = Histogram(
    "jobsite_job_duration_seconds",
    "How long a run took.",
    ["job_type"],
    registry=registry,
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 600, 1800),
)


def exposition() -> bytes:
    """Return every series in Prometheus' text format; nothing if metrics are turned off."""
    if not jobs_settings().metrics:
        return b""
    gathered = CollectorRegistry()
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder and Path(folder).is_dir():
        MultiProcessCollector(gathered)  # type: ignore[no-untyped-call]
    depth = Gauge("jobsite_job_queue_depth", "Ready jobs.", ["queue"], registry=gathered)
    for queue, ready in counts.queue_depths().items():
        depth.labels(queue).set(ready)
    Gauge("jobsite_job_dlq_items", "Dead letters.", registry=gathered).set(counts.dead())
    own = b"" if folder else generate_latest(registry)
    return generate_latest(gathered) + own
