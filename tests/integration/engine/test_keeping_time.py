"""One thing that goes wrong does not stop time for the rest."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from jobs import JobContext, job_type
from jobs.domain.registry import registry
from jobs.models import Job, Schedule
from jobs.runtime.duties import DUTIES
from jobs.runtime.timekeeper import Rank, Timekeeper
from jobs.services.schedules import create_schedule
from jobs.services.scheduling import fire_due

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
    keeper = Timekeeper(Rank.BEAT)
    keeper._next_reap = 0  # as after a lease
    reaped: list[datetime] = []

    def fails(*, now: datetime | None = None) -> int:
        raise RuntimeError("a bug")

    def reap(*, now: datetime | None = None) -> int:
        reaped.append(now or AGO)
        return 0

    monkeypatch.setitem(DUTIES, "rings", fails)
    monkeypatch.setitem(DUTIES, "reaper", reap)
    assert keeper.tick() == 1.0
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


def test_unheard_bells_are_looked_for_at_the_pace_of_the_setting(
    monkeypatch: pytest.MonkeyPatch, configure: Any
) -> None:
    configure(poll_interval_ms=60_000)
    looked: list[int] = []

    def look(*, now: datetime | None = None) -> int:
        looked.append(1)
        return 0

    monkeypatch.setitem(DUTIES, "rings", look)
    slow = Timekeeper(Rank.BEAT)
    for _ in range(3):
        slow.tick()
    assert len(looked) == 1
    configure(poll_interval_ms=100)
    quick = Timekeeper(Rank.BEAT)
    for _ in range(3):
        quick._next_ring -= 1  # as a second later
        quick.tick()
    assert len(looked) == 4
