"""What is measured, what follows from it, and where people are told."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from jobs.domain.capacity import Inputs, plan
from jobs.models import Job, Worker
from jobs.public import NewJob, submit_many
from jobs.selectors import capacity, load, machine

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def configure(settings: Settings) -> Callable[..., None]:
    def change(**changes: Any) -> None:
        settings.JOBS = {**settings.JOBS, "BACKEND": "memory", **changes}

    change()
    return change


def completed(count: int, job_type: str, seconds: float, **params: Any) -> None:
    """Store jobs that arrived just now and took so long."""
    submit_many(NewJob(job_type, params) for _ in range(count))
    now = timezone.now()
    Job.objects.filter(job_type=job_type, state="queued").update(
        state="completed", started_at=now - timedelta(seconds=seconds), finished_at=now
    )


def a_worker(**changes: Any) -> Worker:
    now = timezone.now()
    fields = {
        "name": "one", "host": "elsewhere", "pid": 7, "version": "1", "concurrency": 3,
        "started_at": now, "seen_at": now, "expires_at": now + timedelta(minutes=1),
        "memory_bytes": 400 * 2**20,
    }  # fmt: skip
    return Worker.objects.create(**(fields | changes))


class TestMeasuring:
    def test_arrivals_and_run_times_by_the_shares_of_the_types(self) -> None:
        completed(27, "sample.echo", 0.1, value="x" * 88)
        completed(9, "sample.chatty", 1.3)
        found = capacity.inputs()
        assert found.arrival_per_second == 0.01  # 36 in an hour
        assert found.mean_run_seconds == 0.4  # (27 * 0.1 s + 9 * 1.3 s) / 36
        assert found.mean_params_bytes == round((27 * 100 + 9 * 2) / 36)

    def test_what_has_not_run_yet_arrives_without_a_run_time(self) -> None:
        submit_many(NewJob("sample.echo") for _ in range(36))
        assert capacity.inputs().arrival_per_second == 0.01
        assert capacity.inputs().mean_run_seconds == 0
        completed(36, "sample.chatty", 2)
        assert capacity.inputs().mean_run_seconds == 2

    def test_an_hour_ago_is_too_long_ago(self) -> None:
        completed(5, "sample.echo", 1)
        assert load.load(timezone.now() + timedelta(minutes=61)).arrival_per_second == 0

    def test_of_many_the_newest_count_over_the_time_they_took(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(load, "_ARRIVALS", 20)
        completed(50, "sample.echo", 0.5)
        now = timezone.now()
        Job.objects.update(created_at=now - timedelta(seconds=10))
        assert load.load(now).arrival_per_second == 2

    def test_it_reads_a_bounded_number_of_rows(self) -> None:
        completed(3, "sample.echo", 0.1)
        with CaptureQueriesContext(connection) as captured:
            capacity.inputs()
        reads = [each["sql"] for each in captured if '"jobs_job"' in each["sql"]]
        assert len(reads) == 3
        assert all("LIMIT" in sql for sql in reads)

    def test_the_memory_of_a_slot_is_the_live_workers(self) -> None:
        assert capacity.inputs().slot_bytes == capacity.ASSUMED_SLOT_BYTES
        a_worker()
        a_worker(memory_bytes=100 * 2**20, concurrency=1)
        a_worker(memory_bytes=2**40, stopped_at=timezone.now())
        a_worker(memory_bytes=2**40, expires_at=timezone.now() - timedelta(minutes=1))
        a_worker(memory_bytes=None)
        assert capacity.inputs().slot_bytes == round(500 * 2**20 / 6)

    @pytest.mark.parametrize(
        ("files", "cores", "memory"),
        [
            ({}, 8, 2**34),
            ({"cpu.max": "max 100000", "memory.max": "max"}, 8, 2**34),
            ({"cpu.max": "250000 100000", "memory.max": "1073741824"}, 3, 2**30),
            ({"cpu.max": "1000 100000"}, 1, 2**34),
            (
                {"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000",
                 "memory/memory.limit_in_bytes": "2147483648"},
                2, 2**31,
            ),
            ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 8, 2**34),
        ],
    )  # fmt: skip
    def test_a_machine_is_as_large_as_its_control_group(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        files: dict[str, str],
        cores: int,
        memory: int,
    ) -> None:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text + "\n")
        monkeypatch.setattr(machine, "_CGROUP", tmp_path)
        monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
        monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"total": 2**34}))
        assert (machine.usable_cores(), machine.memory_bytes()) == (cores, memory)


class TestResolving:
    def test_workers_are_the_plan_s_or_a_number_or_left_open(
        self, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert capacity.resolved_workers() is None
        configure(WORKERS=3)
        assert capacity.resolved_workers() == 3
        configure(WORKERS="auto")
        completed(36, "sample.echo", 1)
        assert capacity.resolved_workers() == plan(capacity.inputs()).slots

    def test_with_the_database_away_they_are_a_new_site_s(
        self, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away() -> None:
            raise OperationalError("the server closed the connection")

        monkeypatch.setattr(capacity, "database_now", away)
        configure(WORKERS="auto")
        site = Inputs(
            cores=machine.usable_cores(), memory_bytes=machine.memory_bytes(),
            slot_bytes=capacity.ASSUMED_SLOT_BYTES,
        )  # fmt: skip
        assert capacity.resolved_workers() == plan(site).slots

    def test_a_queue_s_plan_is_remembered_for_a_minute(
        self,
        configure: Callable[..., None],
        django_assert_num_queries: DjangoAssertNumQueries,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        now = 1000.0
        monkeypatch.setattr("jobs.selectors.capacity.time.monotonic", lambda: now)
        configure(QUEUE_SIZE="auto")
        assert capacity.capacity_of("low") == 10_000
        completed(36, "sample.echo", 600)
        now += 59
        with django_assert_num_queries(0):
            assert capacity.capacity_of("normal") == 10_000
        now += 2
        assert capacity.capacity_of("normal") == 1000


class TestTelling:
    def test_the_overview_says_what_contradicts_the_settings(
        self, configure: Callable[..., None], admin_client: Client
    ) -> None:
        configure(QUEUE_SIZE=2)
        assert "has waited" not in _notices(admin_client)
        submit_many(NewJob("sample.echo") for _ in range(2))
        Job.objects.update(run_at=timezone.now() - timedelta(seconds=90))
        capacity.forget()
        page = _notices(admin_client)
        assert "the oldest job of queue normal has waited for 9" in page
        assert "longer than 60 s (QUEUE_WAIT_SECONDS)" in page

    def test_the_overview_measures_once_a_minute(
        self, configure: Callable[..., None], admin_client: Client
    ) -> None:
        configure(QUEUE_SIZE=2)
        with CaptureQueriesContext(connection) as first:
            admin_client.get("/admin/")
        with CaptureQueriesContext(connection) as again:
            admin_client.get("/admin/")
        assert len(again) < len(first)


def _notices(browser: Client) -> str:
    page = browser.get("/admin/").content.decode()
    return page.split('id="job-overview"')[1].split("job-panels")[0]
