"""One thing that goes wrong does not stop time for the rest."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from jobs import JobContext, job_type
from jobs.domain.registry import registry
from jobs.models import Job, Schedule
from jobs.runtime.timekeeper import Timekeeper
from jobs.services import rescue, scheduling
from jobs.services.scheduling import create_schedule, fire_due

pytestmark = pytest.mark.usefixtures("memory")
AGO = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=1)


class Fragile(BaseModel):
    key: str = "a"

    @field_validator("key")
    @classmethod
    def _look_up(cls, key: str) -> str:
        return {"a": "a"}[key]


@pytest.fixture
def broken() -> Iterator[Schedule]:
    """A schedule whose parameters make their model's validator raise what is no `ValueError`."""

    @job_type("time.fragile")
    def handle(params: Fragile, ctx: JobContext) -> None:
        """Do nothing."""

    Schedule.objects.all().delete()
    schedule = create_schedule("broken", "time.fragile", cron="* * * * *")
    Schedule.objects.filter(pk=schedule.pk).update(params={"key": "b"}, next_run_at=AGO)
    yield schedule
    registry._types.pop("time.fragile")


def test_a_schedule_that_cannot_be_kept_says_so_and_the_others_go_on(broken: Schedule) -> None:
    whole = create_schedule("whole", "sample.echo", cron="* * * * *")
    Schedule.objects.filter(pk=whole.pk).update(next_run_at=AGO)
    assert fire_due() == 1
    assert Job.objects.get().schedule == whole
    broken.refresh_from_db()
    assert broken.last_error == "KeyError: 'b'"
    assert broken.next_run_at is not None
    assert broken.next_run_at > AGO


def test_a_step_that_fails_leaves_the_others_done(
    monkeypatch: pytest.MonkeyPatch, configure: Any
) -> None:
    configure(lease_seconds=1)
    keeper = Timekeeper()
    keeper._next_reap = 0  # as after a lease
    reaped: list[datetime] = []
    monkeypatch.setattr(rescue, "reap", lambda *, now: reaped.append(now))

    def fails(*, now: datetime) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(scheduling, "plan_unplanned", fails)
    assert keeper.tick() is False
    assert len(reaped) == 1


@pytest.mark.parametrize(
    ("name", "time_zone", "told"),
    [
        ("x" * 101, "UTC", "must be 1 to 100 printable characters"),
        ("", "UTC", "must be 1 to 100"),
        ("fine", None, "time zone None is not"),
    ],
)
def test_a_schedule_that_cannot_be_stored_is_refused(name: str, time_zone: Any, told: str) -> None:
    with pytest.raises(Exception, match=told):
        create_schedule(name, "sample.echo", cron="@daily", time_zone=time_zone)
