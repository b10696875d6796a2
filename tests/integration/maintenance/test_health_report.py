"""The health job stores a report, in bounded time, and names what has become slower."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from jobs import JobContext, public
from jobs.backends.memory import drain
from jobs.models import Job, LogLine
from maintenance import registry
from maintenance.jobs import HealthParams, health
from maintenance.models import HealthReport
from maintenance.registry import HealthCheck
from tests.integration.maintenance.conftest import result_of


def run() -> dict[str, Any]:
    result: dict[str, Any] = health(HealthParams(), JobContext("maintenance.health"))
    return result


def add_completed(job_type: str, seconds: float) -> None:
    now = timezone.now()
    Job.objects.create(
        job_type=job_type,
        queue="normal",
        state="completed",
        max_attempts=1,
        timeout=timedelta(minutes=1),
        created_at=now,
        run_at=now,
        started_at=now - timedelta(seconds=seconds),
        finished_at=now,
    )


@pytest.fixture
def add_check(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def add(name: str, check: Callable[[], str], *, required: bool = True) -> None:
        added = HealthCheck(name=name, check=check, required=required)
        monkeypatch.setitem(registry._checks, name, added)

    return add


def test_the_job_stores_a_report(healthy_site: Settings) -> None:
    healthy_site.JOBS = {**healthy_site.JOBS, "BACKEND": "memory"}
    add_completed("sample.work", 2)
    add_completed("sample.work", 4)
    add_completed("sample.echo", 1)
    submitted = public.submit("maintenance.health")
    drain()
    job = public.get(submitted.job_id)
    report = HealthReport.objects.get()
    assert job.state == "completed", job.error
    assert job.priority_label == "low"
    assert job.result == {
        "healthy": True,
        "report": report.pk,
        "checks": {check["name"]: check["status"] for check in report.checks},
        "regressions": [],
    }
    assert report.healthy
    assert report.seconds <= 3
    assert [row.keys() for row in report.checks] == [
        {"name", "required", "status", "message", "seconds"}
    ] * 9
    assert report.slowest == [
        {"job_type": "sample.work", "average_run_seconds": 3.0},
        {"job_type": "sample.echo", "average_run_seconds": 1.0},
    ]


def test_an_unhealthy_check_is_in_the_report_and_in_the_jobs_log(
    healthy_site: Settings, broker_url: Callable[[str], None], closed_port: int
) -> None:
    healthy_site.JOBS = {**healthy_site.JOBS, "BACKEND": "memory"}
    healthy_site.MAINTENANCE = {**healthy_site.MAINTENANCE, "MIN_FREE_DISK_RATIO": 1}
    submitted = public.submit("maintenance.health")
    drain()
    assert result_of(submitted.job_id)["healthy"] is False
    report = HealthReport.objects.get()
    assert not report.healthy
    assert report.unhealthy_checks == ["disk"]
    line = LogLine.objects.get(job_id=submitted.job_id)
    assert line.level_name == "WARNING"
    assert line.message.startswith("disk: ")


def test_an_optional_check_leaves_the_report_healthy(
    healthy_site: Settings, closed_port: int
) -> None:
    healthy_site.EMAIL_URL = f"smtp://127.0.0.1:{closed_port}"
    assert run()["healthy"] is True
    assert HealthReport.objects.get().unhealthy_checks == ["smtp"]


def test_a_check_that_hangs_is_cut_off(
    healthy_site: Settings, add_check: Callable[..., None]
) -> None:
    released = threading.Event()
    add_check("hanging", lambda: str(released.wait(30)))
    began = time.monotonic()
    try:
        result = run()
    finally:
        released.set()
    assert time.monotonic() - began < 3.5
    assert result["checks"]["hanging"] == "unhealthy"
    assert result["checks"]["database"] == "healthy"
    report = HealthReport.objects.get()
    assert report.unhealthy_checks == ["hanging"]
    assert report.seconds <= 3


def test_statistics_that_hang_are_left_out(
    healthy_site: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy_site.MAINTENANCE = {**healthy_site.MAINTENANCE, "CHECK_TIMEOUT_SECONDS": 0.5}
    released = threading.Event()

    def stats() -> dict[str, Any]:
        released.wait(30)
        return {}

    monkeypatch.setattr(public, "stats", stats)
    try:
        run()
    finally:
        released.set()
    assert HealthReport.objects.get().slowest == []


def test_what_became_slower_since_the_report_before_is_listed(healthy_site: Settings) -> None:
    add_completed("sample.work", 1)
    add_completed("sample.echo", 1)
    assert run()["regressions"] == []
    before = HealthReport.objects.get()
    add_completed("sample.work", 3)
    assert run()["regressions"] == ["sample.work"]
    assert HealthReport.objects.latest("at").regressions == [
        {
            "job_type": "sample.work",
            "average_run_seconds": 2.0,
            "before_seconds": 1.0,
            "ratio": 2.0,
            "since": before.at.isoformat(),
        }
    ]


def test_jobs_that_waited_for_each_other_do_not_all_look(healthy_site: Settings) -> None:
    healthy_site.JOBS = {**healthy_site.JOBS, "BACKEND": "memory"}
    waiting = [public.submit("maintenance.health").job_id for _ in range(5)]
    drain()
    report = HealthReport.objects.get()
    first, *others = (result_of(job_id) for job_id in waiting)
    assert "superseded" not in first
    assert others == [{"healthy": True, "report": report.pk, "superseded": True}] * 4
    later = public.submit("maintenance.health").job_id
    drain()
    assert "superseded" not in result_of(later)
    assert HealthReport.objects.count() == 2


def test_inside_a_transaction_it_sees_what_the_transaction_wrote(healthy_site: Settings) -> None:
    with transaction.atomic():
        add_completed("sample.work", 1)
        assert run()["checks"]["database"] == "healthy"
    assert HealthReport.objects.get().average_run_seconds == {"sample.work": 1.0}
