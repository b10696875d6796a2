"""The counters and histograms of runs, in Prometheus' own library.

With `PROMETHEUS_MULTIPROC_DIR` set, as the site's settings do, every process of a host writes to
the files of that folder, and `exposition` adds them up.
"""

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from jobs.conf import jobs_settings
from jobs.domain.events import Event, EventName, subscribe
from jobs.domain.registry import registry as job_types
from jobs.models import Breaker
from jobs.selectors import counts
from jobs.selectors.ledger import lost

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
rejected = Counter(
    "jobsite_jobs_rejected", "Submissions that were refused.", ["reason"], registry=registry
)
duration = Histogram(
    "jobsite_job_duration_seconds",
    "How long a run took.",
    ["job_type"],
    registry=registry,
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 600, 1800),
)

lateness = Histogram(
    "jobsite_job_lateness_seconds",
    "How long after its time a delayed job, or one that waited for a retry, was ready.",
    registry=registry,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 5, 30, 300),
)


@cache
def duration_of(job_type: str) -> Histogram:
    """Return the type's own series of `duration`."""
    return duration.labels(job_type)


@cache
def _executed_of(job_type: str) -> Counter:
    return executed.labels(job_type)


def count(event: Event) -> None:
    """Count what became of a job, as its row tells it: a late outcome is none."""
    if not jobs_settings().metrics:
        return
    match event.name:
        case EventName.COMPLETED:
            _executed_of(event.job_type).inc()
        case EventName.FAILED:
            failed.labels(event.job_type, str(event.details.get("failure_reason", ""))).inc()
        case EventName.RETRYING if event.details.get("outcome") in ("error", "timeout", "lost"):
            retried.labels(event.job_type).inc()
        case EventName.QUEUED if "late_seconds" in event.details:
            lateness.observe(event.details["late_seconds"])
        case EventName.REJECTED:
            rejected.labels(event.details["reason"]).inc(event.details["count"])
        case _:
            pass


def start_counting() -> None:
    """Begin to count what this process records of jobs."""
    subscribe(
        count,
        EventName.COMPLETED,
        EventName.FAILED,
        EventName.QUEUED,
        EventName.RETRYING,
        EventName.REJECTED,
    )


class _Table(Collector):
    """The gauges that the table gives, read when they are asked for."""

    def collect(self) -> Iterator[Metric]:
        """Yield each gauge."""
        depth = GaugeMetricFamily("jobsite_job_queue_depth", "Ready jobs.", labels=["queue"])
        known = dict.fromkeys(job_types.celery_queues(), 0)
        for queue, ready in (known | counts.queue_depths()).items():
            depth.add_metric([queue], ready)
        yield depth
        yield GaugeMetricFamily("jobsite_job_dlq_items", "Dead letters.", value=counts.dead())
        breakers = GaugeMetricFamily(
            "jobsite_breaker_open", "Whether jobs leave the service alone.", labels=["service"]
        )
        for service, state in Breaker.objects.values_list("service", "state"):
            breakers.add_metric([service], float(state != Breaker.State.CLOSED))
        yield breakers
        yield GaugeMetricFamily(
            "jobsite_jobs_lost", "Live jobs that nobody will take where they are.", value=lost()
        )


class _Counted(Collector):
    """What the processes of this host counted of jobs.

    Other libraries of theirs count into the same files, such as Flower: that is left out.
    """

    def collect(self) -> Iterator[Metric]:
        """Yield each of our own families."""
        ours = {family.name for family in registry.collect()}
        everything: Any = MultiProcessCollector(None)  # type: ignore[no-untyped-call]
        yield from (family for family in everything.collect() if family.name in ours)


def exposition() -> bytes:
    """Return every series in Prometheus' text format; nothing if metrics are turned off."""
    if not jobs_settings().metrics:
        return b""
    gathered = CollectorRegistry()
    gathered.register(_Table())
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        gathered.register(_Counted())
        return generate_latest(gathered)
    return generate_latest(gathered) + generate_latest(registry)
