"""What Prometheus is told: it equals what ran, and what is in the table."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client import Counter as Counter_
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from jobs.backends.memory import drain
from jobs.domain.outcomes import Completed, Lost
from jobs.domain.registry import registry
from jobs.models import Job
from jobs.public import dead, get, queue_depths, submit
from jobs.runtime.metrics import exposition
from jobs.services import rescue
from jobs.services.finishing import finish
from jobs.services.taking import Taker, take
from jobs.services.timekeeping import promote_due

Key = tuple[str, frozenset[tuple[str, str]]]
Series = dict[Key, float]


@pytest.fixture(autouse=True)
def memory(settings: Settings, transactional_db: None) -> None:
    settings.JOBS = {**settings.JOBS, "BACKEND": "memory"}


def key(name: str, **labels: str) -> Key:
    return f"jobsite_job_{name}", frozenset(labels.items())


def read() -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposition().decode())
        for sample in family.samples
    }


@pytest.fixture
def added() -> Callable[[], Series]:
    """Return by how much each series has grown in the test: they are the whole run's."""
    before = read()
    return lambda: {
        each: grown for each, value in read().items() if (grown := value - before.get(each, 0))
    }


def drain_with_retries() -> None:
    later = timezone.now() + timedelta(minutes=1)
    while drain(now=later):
        pass


def test_runs_are_counted_by_type_and_reason(added: Callable[[], Series]) -> None:
    for value in range(3):
        submit("sample.echo", {"value": value})
    submit("sample.trouble", {"kind": "permanent"})
    submit("sample.trouble", {"kind": "error"})
    drain_with_retries()
    grown = added()
    assert grown[key("executed_total", job_type="sample.echo")] == 3
    failed = {
        reason: grown[key("failed_total", job_type="sample.trouble", error_type=reason)]
        for reason in ("permanent_error", "retries_exhausted")
    }
    assert failed == {"permanent_error": 1, "retries_exhausted": 1}
    assert grown[key("retry_attempts_total", job_type="sample.trouble")] == 2
    assert key("executed_total", job_type="sample.trouble") not in grown


def test_every_end_is_counted_as_its_row_tells_it(added: Callable[[], Series]) -> None:
    submit("sample.trouble", {"kind": "unstorable"})
    gone = submit("sample.echo").job_id
    Job.objects.filter(pk=gone).update(job_type="sample.gone")
    unreadable = submit("sample.nested", {"period": {"start": 1}}).job_id
    Job.objects.filter(pk=unreadable).update(params={})
    drain()
    killed, lost, late = (submit("sample.echo").job_id for _ in range(3))
    (one, two, three) = take(Taker(None, 1), ["normal"], limit=3)
    assert [one.pk, two.pk, three.pk] == [killed, lost, late]
    Job.objects.filter(pk=killed).update(max_attempts=1)
    rescue.close_dead([get(killed)], rescue.Death("", one.pk, one.run, "timeout"))
    assert finish(two, Lost("its worker was lost", 3, None))
    Job.objects.filter(pk=late).update(run=7)
    assert not finish(three, Completed("too late"))
    grown = added()
    counted = {
        (labels["job_type"], labels["error_type"]): value
        for (name, pairs), value in grown.items()
        if name == "jobsite_job_failed_total" and (labels := dict(pairs))
    }
    assert counted == {
        ("sample.trouble", "permanent_error"): 1,
        ("sample.gone", "permanent_error"): 1,
        ("sample.nested", "permanent_error"): 1,
        ("sample.echo", "timeout"): 1,
        ("sample.echo", "worker_lost"): 1,
    }
    assert key("executed_total", job_type="sample.trouble") not in grown
    assert key("executed_total", job_type="sample.echo") not in grown


def test_lateness_is_a_histogram(added: Callable[[], Series]) -> None:
    for _ in range(3):
        submit("sample.echo", delay=timedelta(hours=1))
    Job.objects.update(run_at=timezone.now() - timedelta(milliseconds=200))
    assert promote_due() == 3
    grown = added()
    assert grown[key("lateness_seconds_count")] == 3
    assert grown[key("lateness_seconds_bucket", le="+Inf")] == 3
    assert key("lateness_seconds_bucket", le="0.15") not in grown
    assert 3 * 0.2 <= grown[key("lateness_seconds_sum")] < 3 * 5


def test_durations_are_a_histogram(added: Callable[[], Series], tmp_path: object) -> None:
    submit("sample.work", {"path": f"{tmp_path}/witness", "seconds": 0.06})
    submit("sample.work", {"path": f"{tmp_path}/witness", "seconds": 0})
    drain()
    grown = added()
    assert grown[key("duration_seconds_count", job_type="sample.work")] == 2
    assert 0.06 <= grown[key("duration_seconds_sum", job_type="sample.work")] < 5
    assert grown[key("duration_seconds_bucket", job_type="sample.work", le="0.05")] == 1
    assert grown[key("duration_seconds_bucket", job_type="sample.work", le="+Inf")] == 2


def test_the_gauges_equal_the_database() -> None:
    submit("sample.trouble", {"kind": "permanent"})
    drain()
    for priority, count in (("high", 3), ("low", 2)):
        for _ in range(count):
            submit("sample.echo", priority=priority)
    submit("sample.echo", delay=timedelta(hours=1))  # not ready
    series = read()
    depths = {
        dict(labels)["queue"]: value
        for (name, labels), value in series.items()
        if name == "jobsite_job_queue_depth"
    }
    assert queue_depths() == {"high": 3, "low": 2}
    assert queue_depths() == Counter(
        Job.objects.filter(state="queued").values_list("queue", flat=True)
    )
    assert depths == dict.fromkeys(registry.celery_queues(), 0) | queue_depths()
    assert series[key("dlq_items")] == dead() == 1


def test_lost_jobs_are_told() -> None:
    lost = ("jobsite_jobs_lost", frozenset[tuple[str, str]]())
    job_id = submit("sample.echo", delay=timedelta(hours=1)).job_id
    assert read()[lost] == 0
    # Due for an hour, and no timekeeper has moved it on.
    Job.objects.filter(pk=job_id).update(run_at=timezone.now() - timedelta(hours=1))
    assert read()[lost] == 1
    assert drain() == 1
    assert read()[lost] == 0


def test_nothing_is_recorded_when_metrics_are_off(
    added: Callable[[], Series], settings: Settings
) -> None:
    before = settings.JOBS
    settings.JOBS = {**before, "METRICS": False}
    submit("sample.echo")
    submit("sample.trouble", {"kind": "permanent"})
    drain()
    assert exposition() == b""
    settings.JOBS = before
    assert added() == {key("dlq_items"): 1}  # the table's


def test_what_others_count_in_these_processes_is_left_out() -> None:
    Counter_("jobsite_elsewhere", "Not ours.", registry=CollectorRegistry()).inc()
    Gauge("elsewhere", "Not ours.", registry=CollectorRegistry()).set(1)
    assert b"elsewhere" not in exposition()


def test_each_family_is_described_once() -> None:
    submit("sample.echo")
    drain()
    lines = [line for line in exposition().decode().splitlines() if line.startswith("# ")]
    described = Counter(line.split(" ", 3)[2] for line in lines if line.startswith("# HELP"))
    assert {
        "jobsite_job_executed_total",
        "jobsite_job_duration_seconds",
        "jobsite_job_queue_depth",
        "jobsite_job_dlq_items",
        "jobsite_jobs_lost",
    } <= set(described)
    assert set(described.values()) == {1}
    assert described == Counter(line.split()[2] for line in lines if line.startswith("# TYPE"))
