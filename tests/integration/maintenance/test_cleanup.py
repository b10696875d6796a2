"""The clean-up job removes what each rule says, and says what it did."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_results.models import GroupResult, TaskResult
from prometheus_client.mmap_dict import MmapedDict
from pytest_django import Settings

from jobs import public
from jobs.backends.memory import drain
from jobs.models import Job
from maintenance.cleaning import clean_up
from maintenance.jobs import CleanupParams
from maintenance.models import HealthReport
from notifications.models import EventDelivery, EventSubscription
from tests.integration.maintenance.conftest import result_of
from tests.integration.test_retention import build_job

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def add_results(*ages: timedelta) -> None:
    now = timezone.now()
    for number, age in enumerate(ages):
        task = TaskResult.objects.create(task_id=f"task-{number}-{age}")
        group = GroupResult.objects.create(group_id=f"group-{number}-{age}")
        # Both set their own time when they are saved.
        TaskResult.objects.filter(pk=task.pk).update(date_done=now - age)
        GroupResult.objects.filter(pk=group.pk).update(date_done=now - age)


def add_sessions(*expired: timedelta) -> None:
    now = timezone.now()
    for number, age in enumerate(expired):
        Session.objects.create(session_key=f"{number}-{age}", expire_date=now - age)


def add_reports(*ages: timedelta) -> None:
    for age in ages:
        HealthReport.objects.create(at=timezone.now() - age, healthy=True, seconds=0)


def add_jobs(*ages: timedelta, **fields: Any) -> None:
    now = timezone.now()
    for age in ages:
        job = build_job(fields.get("state", "completed"), age)
        job.finished_at = now - age
        job.save(force_insert=True)


@pytest.fixture
def old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the count of a process that cannot exist."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    store = MmapedDict(str(tmp_path / "counter_999999999.db"))  # type: ignore[no-untyped-call]
    store.write_value('["a", "a_total", {}, ""]', 1.0, 0.0)  # type: ignore[no-untyped-call]
    store.close()  # type: ignore[no-untyped-call]
    return tmp_path


@pytest.fixture
def cleanup(db: None, settings: Settings) -> Callable[..., Job]:
    settings.JOBS = {**settings.JOBS, "BACKEND": "memory"}

    def run(**params: Any) -> Job:
        submitted = public.submit("maintenance.cleanup", params)
        drain()
        job = public.get(submitted.job_id)
        assert job.state == "completed", job.error
        return job

    return run


def add_event_deliveries(*ages: timedelta) -> None:
    to = EventSubscription.objects.create(name="x", url="https://x.example/", secret="x")
    for age in ages:
        at = timezone.now() - age
        EventDelivery.objects.create(subscription=to, event="e", payload={}, created_at=at)


def fill() -> None:
    add_jobs(DAY + HOUR, DAY - HOUR, 2 * DAY)
    add_results(DAY + HOUR, DAY - HOUR)
    add_sessions(HOUR, -HOUR)
    add_reports(7 * DAY + HOUR, 7 * DAY - HOUR)
    add_event_deliveries(30 * DAY + HOUR, 30 * DAY - HOUR)


REMOVED = {
    "cancelled": 0,
    "completed": 2,
    "failed": 0,
    "workers": 0,
    "health_reports": 1,
    "sessions": 1,
    "event_deliveries": 1,
    "task_results": 1,
    "group_results": 1,
    "metrics_files": 1,
}


def test_it_removes_what_every_rule_says(cleanup: Callable[..., Job], old_files: Path) -> None:
    fill()
    job = cleanup()
    assert result_of(job.pk)["removed"] == REMOVED
    assert result_of(job.pk)["dry_run"] is False
    assert job.priority_label == "low"
    assert job.progress == 100
    assert Job.objects.exclude(pk=job.pk).count() == 1
    for model in (TaskResult, GroupResult, Session, HealthReport, EventDelivery):
        assert model.objects.count() == 1
    assert not (old_files / "counter_999999999.db").exists()
    assert (old_files / "counter_ended.db").exists()
    assert result_of(cleanup().pk)["removed"] == dict.fromkeys(REMOVED, 0)


def test_a_dry_run_says_the_same_and_changes_nothing(
    cleanup: Callable[..., Job], old_files: Path
) -> None:
    fill()
    job = cleanup(dry_run=True)
    assert result_of(job.pk)["removed"] == REMOVED
    assert result_of(job.pk)["dry_run"] is True
    database = result_of(job.pk)["database"]
    assert database["operations"] == []
    assert database["size_before_bytes"] == database["size_after_bytes"] > 0
    assert Job.objects.exclude(pk=job.pk).count() == 3
    for model in (TaskResult, GroupResult, Session, HealthReport, EventDelivery):
        assert model.objects.count() == 2
    assert (old_files / "counter_999999999.db").exists()
    assert not (old_files / "counter_ended.db").exists()


def test_both_count_alike_at_the_same_moment(db: None, old_files: Path) -> None:
    now = timezone.now()
    fill()
    counted = clean_up(now=now, dry_run=True)
    assert clean_up(now=now, batch_size=1) == counted == REMOVED


def test_progress_follows_the_batches(db: None) -> None:
    fill()
    steps: list[int] = []
    clean_up(now=timezone.now(), batch_size=1, on_batch=steps.append)
    assert steps == [1, 2, 3, 4, 5, 6, 7]


def test_the_statements_of_a_batch_are_few(db: None) -> None:
    now = timezone.now()

    def statements(rows: int) -> int:
        HealthReport.objects.bulk_create(
            HealthReport(at=now - 8 * DAY, healthy=True, seconds=0) for _ in range(rows)
        )
        with CaptureQueriesContext(connection) as captured:
            assert clean_up(now=now, batch_size=1000)["health_reports"] == rows
        return len(captured)

    assert statements(900) == statements(1)


def test_celerys_own_setting_says_how_long_its_results_are_kept(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_results(2 * HOUR, 10 * DAY)
    monkeypatch.setitem(current_app.conf, "result_expires", None)
    assert "task_results" not in clean_up(now=timezone.now())
    monkeypatch.setitem(current_app.conf, "result_expires", 3600)
    assert clean_up(now=timezone.now())["task_results"] == 2


def test_it_need_not_optimise(cleanup: Callable[..., Job]) -> None:
    assert result_of(cleanup(optimise=False).pk)["database"]["operations"] == []


@pytest.mark.parametrize("batch_size", [0, 10_001])
def test_a_batch_has_its_limits(batch_size: int) -> None:
    with pytest.raises(public.InvalidParameters, match="batch_size"):
        public.submit("maintenance.cleanup", {"batch_size": batch_size})
    assert CleanupParams().batch_size == 500


@pytest.mark.django_db
def test_it_can_be_cancelled_between_two_batches(settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "BACKEND": "memory", "PROGRESS_INTERVAL_SECONDS": 0}
    add_jobs(*[2 * DAY] * 3)
    submitted = public.submit("maintenance.cleanup", {"batch_size": 1})

    def cancel(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        result = execute(sql, *args)
        if sql.startswith("DELETE") and "jobs_job" in sql:
            Job.objects.filter(pk=submitted.job_id).update(
                cancel_requested_at=datetime.now().astimezone()
            )
        return result

    with connection.execute_wrapper(cancel):
        drain()
    assert public.get(submitted.job_id).state == "cancelled"
    assert Job.objects.filter(state="completed").count() == 2


@pytest.mark.django_db
def test_the_job_itself_stays(cleanup: Callable[..., Job], settings: Settings) -> None:
    kept = {"maintenance.cleanup": {"completed": 0}}
    settings.JOBS = {**settings.JOBS, "RETENTION_BY_TYPE": kept}
    first = cleanup()
    second = cleanup()
    assert result_of(second.pk)["removed"]["completed:maintenance.cleanup"] == 1
    assert set(Job.objects.values_list("pk", flat=True)) == {second.pk} != {first.pk}
