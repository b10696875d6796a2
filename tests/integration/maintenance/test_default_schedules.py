"""Every site begins with the schedules of its own maintenance."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from jobs.models import Job, Schedule
from jobs.services.scheduling import fire_due, plan_unplanned

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("maintenance.cleanup", "maintenance.health")


def migrate(target: str) -> None:
    MigrationExecutor(connection).migrate([("maintenance", target)])


@pytest.fixture(autouse=True)
def _without() -> Iterator[None]:
    migrate("0001_initial")
    Schedule.objects.all().delete()
    yield
    migrate("0002_default_schedules")


def test_the_migration_adds_them_and_takes_them_back() -> None:
    migrate("0002_default_schedules")
    rows = Schedule.objects.order_by("name").values_list(
        "name", "job_type", "cron", "timezone", "params", "priority", "enabled", "next_run_at"
    )
    assert list(rows) == [
        (NAMES[0], NAMES[0], "*/5 * * * *", "UTC", {}, 3, True, None),
        (NAMES[1], NAMES[1], "* * * * *", "UTC", {}, 3, True, None),
    ]
    migrate("0001_initial")
    assert not Schedule.objects.exists()


def test_a_schedule_of_that_name_stays_as_it_is() -> None:
    Schedule.objects.create(name=NAMES[0], job_type=NAMES[0], cron="0 4 * * *", enabled=False)
    migrate("0002_default_schedules")
    kept = Schedule.objects.get(name=NAMES[0])
    assert (kept.cron, kept.enabled) == ("0 4 * * *", False)


def test_the_timekeeper_plans_and_runs_them() -> None:
    migrate("0002_default_schedules")
    plan_unplanned()
    assert not Schedule.objects.filter(next_run_at=None).exists()
    Schedule.objects.update(next_run_at=timezone.now())
    assert fire_due() == 2
    assert set(Job.objects.values_list("job_type", "priority", "trigger")) == {
        (name, 3, "schedule") for name in NAMES
    }
