"""Beat dies or is doubled, clocks are wrong, clocks change."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from jobs.models import Job, Leadership, Schedule
from jobs.public import create_schedule
from jobs.public import list as listed
from jobs.services.schedules import save_schedule
from jobs.services.scheduling import fire_due
from tests.drills.conftest import Start
from tests.drills.drill import LEASE_SECONDS, Drill
from tests.stack import eventually

#: For how long two beats run side by side.
BEATS_SECONDS = float(os.environ.get("DRILL_BEATS_SECONDS", "600"))
FAKETIME = [
    Path(found)
    for found in (
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    )
]


def leader() -> int:
    row = Leadership.objects.filter(duty="timekeeper").first()
    return -1 if row is None else int(row.holder.split(":")[1])


@pytest.mark.timeout(400)
@pytest.mark.drill_of(8, "beat killed for three minutes")
def test_beat_dies(drill: Drill, start_worker: Start, start_beat: Start) -> None:
    beat = start_beat()
    eventually(lambda: leader() == beat.pid, 10)
    worker = start_worker()
    create_schedule("each minute", "sample.echo", cron="* * * * *")
    beat.kill()
    drill.fault()
    drill.submit(5, delay=timedelta(seconds=1))
    eventually(lambda: leader() == worker.pid, LEASE_SECONDS + 0.5)
    drill.account(within=LEASE_SECONDS + 2, runs_at_most=1)
    # Three minutes of schedules, kept by the worker.
    eventually(lambda: len(listed(schedule="each minute")) >= 3, 200)
    jobs = listed(schedule="each minute")
    slots = {job.occurrence for job in jobs if job.occurrence}
    assert len(slots) == len(jobs)
    assert max(slots) - min(slots) == timedelta(minutes=len(slots) - 1)

    # With no one left nothing happens, and then it is caught up: once.
    worker.kill()
    drill.submit(5, delay=timedelta(seconds=1))
    schedule = Schedule.objects.get(name="each minute")
    Schedule.objects.filter(pk=schedule.pk).update(
        next_run_at=datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
    )
    start_worker()
    drill.disturbed()
    drill.account(within=15, runs_at_most=1)
    eventually(lambda: len(listed(schedule="each minute")) > len(jobs), 10)
    assert len(listed(schedule="each minute")) <= len(jobs) + 2


@pytest.mark.timeout(BEATS_SECONDS + 120)
@pytest.mark.drill_of(9, f"two beats for {BEATS_SECONDS:g} s")
def test_two_beats(drill: Drill, start_worker: Start, start_beat: Start) -> None:
    beats = [start_beat(), start_beat()]
    start_worker()
    begin = datetime.now(UTC)
    for number in range(5):
        create_schedule(f"every {number}", "sample.echo", cron="* * * * *")
    drill.submit(20, delay=timedelta(seconds=2))
    ends = begin + timedelta(seconds=BEATS_SECONDS)
    eventually(lambda: datetime.now(UTC) > ends, BEATS_SECONDS + 5)
    assert [beat.returncode for beat in beats] == [None, None]
    last = begin.replace(second=0, microsecond=0)
    minutes = []
    while (last := last + timedelta(minutes=1)) < ends - timedelta(seconds=2):
        minutes.append(last)
    for number in range(5):
        fired = sorted(
            job.occurrence for job in listed(schedule=f"every {number}") if job.occurrence
        )
        assert [each for each in fired if each in minutes] == minutes
        assert len(fired) == len(set(fired))
    drill.account(runs_at_most=1)


@pytest.mark.parametrize("hours", [2, -2])
@pytest.mark.drill_of(10, "one process whose clock is wrong")
def test_a_worker_whose_clock_is_wrong(
    drill: Drill, start_worker: Start, start_beat: Start, hours: int
) -> None:
    library = next((path for path in FAKETIME if path.exists()), None)
    if library is None:
        pytest.skip("libfaketime is not there: apt install faketime")
    drill.name += f" by {hours:+d} h"
    start_beat()
    wrong = {"LD_PRELOAD": str(library), "FAKETIME": f"{hours:+d}h", "DONT_FAKE_MONOTONIC": "1"}
    start_worker("--concurrency", "1", **wrong)
    start_worker("--concurrency", "1")
    drill.submit(30, params={"seconds": 0.1})
    drill.submit(2, params={"seconds": 5})
    failing = drill.submit(4, "sample.trouble", params={"kind": "retry"}, max_attempts=2)
    drill.disturbed()
    right = [each for each in drill.ids if each not in failing]
    drill.account(within=30, runs_at_most=1, completed=right)
    assert set(Job.objects.filter(pk__in=failing).values_list("attempt", flat=True)) == {2}


#: Per zone, the day in 2026 that clocks go forward, the one on which they go back, and for a daily
#: schedule at a wall-clock time of each: the instants, in UTC, at which it must run.
GOLDEN = [
    ("Europe/Berlin", "30 2 * * *", "2026-03-28", ["03-28 01:30", "03-29 01:00", "03-30 00:30"]),
    ("Europe/Berlin", "30 2 * * *", "2026-10-24", ["10-24 00:30", "10-25 00:30", "10-26 01:30"]),
    ("America/New_York", "30 2 * * *", "2026-03-07", ["03-07 07:30", "03-08 07:00", "03-09 06:30"]),
    ("America/New_York", "30 1 * * *", "2026-10-31", ["10-31 05:30", "11-01 05:30", "11-02 06:30"]),
    (
        "Australia/Lord_Howe",
        "15 2 * * *",
        "2026-10-03",
        ["10-02 15:45", "10-03 15:30", "10-04 15:15"],
    ),
    (
        "Australia/Lord_Howe",
        "45 1 * * *",
        "2026-04-04",
        ["04-03 14:45", "04-04 14:45", "04-05 15:15"],
    ),
    (
        "Africa/Casablanca",
        "30 2 * * *",
        "2026-02-14",
        ["02-14 01:30", "02-15 01:30", "02-16 02:30"],
    ),
    (
        "Africa/Casablanca",
        "30 2 * * *",
        "2026-03-21",
        ["03-21 02:30", "03-22 02:00", "03-23 01:30"],
    ),
]


@pytest.mark.parametrize(("zone", "cron", "day", "expected"), GOLDEN)
@pytest.mark.drill_of(11, "clocks change")
def test_clocks_change(drill: Drill, zone: str, cron: str, day: str, expected: list[str]) -> None:
    drill.name = f"clocks change, {zone} {day}"
    begin = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    schedule = create_schedule("daily", "sample.echo", cron=cron, time_zone=zone)
    save_schedule(schedule, now=begin)
    now = begin
    while now < begin + timedelta(days=3):  # a timekeeper that looks each five minutes
        now += timedelta(minutes=5)
        fire_due(now=now)
    fired = sorted(job.occurrence for job in Job.objects.all() if job.occurrence)
    assert [f"{each:%m-%d %H:%M}" for each in fired] == expected
    drill.ids = list(Job.objects.values_list("pk", flat=True))
    drill.enter_occurrences()
