"""What a schedule does when its jobs meet, with runs that were missed, and within its bounds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.backends.memory import drain
from jobs.domain.schedules import jittered
from jobs.models import Job, Schedule
from jobs.public import InvalidCron, InvalidOption, cancel, create_schedule, get, trigger
from jobs.services.schedules import next_run, next_runs
from jobs.services.scheduling import fire_due, plan_unplanned

START = datetime(2031, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _no_other(memory: None) -> None:
    Schedule.objects.all().delete()


def every_minute(**policies: Any) -> Schedule:
    """Return a schedule whose next occurrence is START."""
    schedule = create_schedule("minutely", "sample.echo", cron="* * * * *", **policies)
    Schedule.objects.filter(pk=schedule.pk).update(next_run_at=START)
    return schedule


def fire(schedule: Schedule, at: datetime) -> list[Job]:
    """Let it be that late; return the jobs that came to be, oldest first."""
    known = set(Job.objects.values_list("pk", flat=True))
    for _ in range(300):
        if not Schedule.objects.filter(pk=schedule.pk, next_run_at__lte=at).exists():
            break
        fire_due(now=at)
    schedule.refresh_from_db()
    return list(Job.objects.exclude(pk__in=known).order_by("occurrence"))


class TestOverlap:
    def test_run(self) -> None:
        schedule = every_minute()
        assert [job.state for job in fire(schedule, START)] == ["queued"]
        assert [job.state for job in fire(schedule, START + MINUTE)] == ["queued"]

    def test_skip(self) -> None:
        schedule = every_minute(overlap="skip")
        [first] = fire(schedule, START)
        assert fire(schedule, START + MINUTE) == []
        assert schedule.last_error == f"skipped: job {first.pk} has not ended"
        assert schedule.last_run_at == START  # the one that made a job
        assert schedule.next_run_at == START + 2 * MINUTE
        drain()
        assert len(fire(schedule, START + 2 * MINUTE)) == 1
        assert schedule.last_error == ""

    def test_queue_one(self) -> None:
        schedule = every_minute(overlap="queue_one")
        [first] = fire(schedule, START)
        [second] = fire(schedule, START + MINUTE)
        assert second.state == "blocked"
        assert fire(schedule, START + 2 * MINUTE) == []
        assert "another one waits for it" in schedule.last_error
        drain()
        assert {get(each.pk).state for each in (first, second)} == {"completed"}

    def test_queue_all(self) -> None:
        schedule = every_minute(overlap="queue_all")
        jobs = [job for late in range(4) for job in fire(schedule, START + late * MINUTE)]
        assert [job.state for job in jobs] == ["queued", "blocked", "blocked", "blocked"]
        # One in the middle that goes lets none begin before its time.
        cancel(jobs[1].pk, actor="a test")
        assert get(jobs[2].pk).state == "blocked"
        drain()
        ended = [get(job.pk).finished_at for job in jobs if job != jobs[1]]
        assert ended == sorted(ended, key=str)

    def test_cancel_running(self) -> None:
        schedule = every_minute(overlap="cancel_running")
        [first] = fire(schedule, START)
        Job.objects.filter(pk=first.pk).update(state="running", run=1, attempt=1)
        [second] = fire(schedule, START + MINUTE)
        assert get(first.pk).cancel_requested_at is not None
        assert second.state == "blocked"
        [third] = fire(schedule, START + 2 * MINUTE)
        assert get(second.pk).state == "cancelled"
        assert third.state == "blocked"

    def test_what_was_triggered_by_hand_counts_and_is_never_held_back(self) -> None:
        schedule = every_minute(overlap="skip")
        trigger("minutely", actor="a test")
        assert fire(schedule, START) == []
        assert trigger("minutely", actor="a test").state == "queued"


class TestMissed:
    LATE = START + 5 * MINUTE + timedelta(seconds=30)

    def test_once(self) -> None:
        schedule = every_minute()
        assert [job.occurrence for job in fire(schedule, self.LATE)] == [START]
        assert schedule.next_run_at == START + 6 * MINUTE

    def test_skip(self) -> None:
        schedule = every_minute(missed="skip")
        [job] = fire(schedule, self.LATE)
        assert job.occurrence == START + 5 * MINUTE  # half a minute late: that is not missed
        hourly = create_schedule("hourly", "sample.echo", cron="0 * * * *", missed="skip")
        Schedule.objects.filter(pk=hourly.pk).update(next_run_at=START)
        assert fire(hourly, self.LATE) == []
        assert hourly.last_error == "skipped: nothing kept time"
        assert hourly.next_run_at == START + timedelta(hours=1)

    def test_all(self) -> None:
        schedule = every_minute(missed="all")
        made = [job.occurrence for job in fire(schedule, self.LATE)]
        assert made == [START + late * MINUTE for late in range(6)]
        assert schedule.next_run_at == START + 6 * MINUTE

    def test_all_up_to_a_cap(self) -> None:
        schedule = every_minute(missed="all")
        late = START + timedelta(days=3)
        made = [job.occurrence for job in fire(schedule, late)]
        assert len(made) == 100
        assert (made[0], made[-1]) == (late - 99 * MINUTE, late)

    def test_all_one_after_the_other(self) -> None:
        schedule = every_minute(missed="all", overlap="queue_all")
        states = [job.state for job in fire(schedule, self.LATE)]
        assert states == ["queued", *["blocked"] * 5]


class TestBounds:
    def test_no_run_before_its_begin_and_none_after_its_end(self) -> None:
        schedule = create_schedule(
            "bounded", "sample.echo", cron="0 * * * *",
            starts_at=START, ends_at=START + timedelta(hours=2),
        )  # fmt: skip
        hours = [START + timedelta(hours=late) for late in range(3)]
        assert schedule.next_run_at == START
        assert next_runs(schedule, datetime.now(UTC), 10) == hours
        assert [job.occurrence for job in fire(schedule, START)] == [START]
        fire(schedule, hours[2])
        plan_unplanned(now=hours[2] + MINUTE)
        assert Schedule.objects.get(enabled=True).next_run_at is None
        assert next_run(schedule, hours[2]) is None

    def test_seconds(self) -> None:
        schedule = create_schedule("quick", "sample.echo", cron="*/20 * * * * *")
        assert [at.second for at in next_runs(schedule, START, 3)] == [20, 40, 0]

    def test_jitter_puts_each_off_and_none_beyond_it(self) -> None:
        schedule = every_minute(jitter_seconds=30)
        jobs = [fire(schedule, START + late * MINUTE)[0] for late in range(20)]
        delays = [(job.run_at - job.occurrence).total_seconds() for job in jobs if job.occurrence]
        assert all(0 <= delay <= 30 for delay in delays)
        assert len(set(delays)) > 5
        jitter = timedelta(seconds=30)
        again = [jittered(START + late * MINUTE, jitter, seed=schedule.pk) for late in range(20)]
        assert again == [job.run_at for job in jobs]

    @pytest.mark.parametrize(
        ("policies", "told"),
        [
            ({"overlap": "maybe"}, "overlap must be run, skip, queue_one"),
            ({"missed": "maybe"}, "missed must be once, skip, all"),
            ({"jitter_seconds": 90_000}, "jitter_seconds must be 0 to 86400, not 90000"),
            ({"jitter_seconds": -1}, "not -1"),
            ({"starts_at": START, "ends_at": START}, "it would never run"),
        ],
    )
    def test_what_cannot_be_is_refused_by_name(self, policies: Any, told: str) -> None:
        with pytest.raises(InvalidOption, match=told):
            every_minute(**policies)
        assert not Schedule.objects.exists()

    def test_an_expression_names_its_wrong_field(self) -> None:
        with pytest.raises(InvalidCron, match="in field 2, the hour '25'"):
            create_schedule("wrong", "sample.echo", cron="0 25 * * *")
