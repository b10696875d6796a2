"""Schedules and everything else that happens because time passes, with a real beat."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_results.models import TaskResult

from jobs.models import Job, Schedule
from jobs.public import create_schedule, submit, trigger
from jobs.public import list as listed
from jobs.services.schedules import save_schedule
from tests.acceptance.conftest import Final
from tests.conftest import LiveProcess
from tests.stack import Process, eventually
from tests.stack.run import celery

pytestmark = pytest.mark.usefixtures("beat")


def due_now(name: str) -> None:
    Schedule.objects.filter(name=name).update(next_run_at=datetime.now(UTC))


def test_a_schedule_makes_a_job_for_its_occurrence(worker: Process, final: Final) -> None:
    create_schedule("nightly", "sample.echo", cron="0 3 * * *", params={"value": 1}, priority="low")
    due_now("nightly")
    eventually(lambda: bool(listed(schedule="nightly")), 30)
    (job,) = listed(schedule="nightly")
    assert (final(job.pk).state, job.trigger, job.priority_label) == (
        "completed",
        "schedule",
        "low",
    )
    schedule = Schedule.objects.get(name="nightly")
    assert job.occurrence == schedule.last_run_at
    assert schedule.next_run_at is not None
    assert schedule.next_run_at > datetime.now(UTC)


def test_two_beats_fire_each_occurrence_once(live_process: LiveProcess) -> None:
    second = live_process(celery("beat", "-s", "/dev/null"), name="second-beat")
    second.wait_for("timekeeper_started", 60)
    names = [f"schedule {n}" for n in range(20)]
    for name in names:
        create_schedule(name, "sample.echo", cron="0 3 * * *")
    ours = Schedule.objects.filter(name__in=names)

    def all_fired() -> bool:
        return not ours.filter(next_run_at__lte=datetime.now(UTC)).exists()

    for _ in range(5):
        ours.update(next_run_at=datetime.now(UTC))
        eventually(all_fired, 30)
    fired = Job.objects.filter(schedule__in=ours).values_list("schedule__name", flat=True)
    assert Counter(fired) == dict.fromkeys(names, 5)
    assert second.returncode is None


def test_a_change_acts_without_a_restart() -> None:
    schedule = create_schedule("changing", "sample.echo", cron="0 3 1 1 *", enabled=False)
    schedule.enabled, schedule.cron = True, "* * * * *"
    save_schedule(schedule, now=datetime.now(UTC) - timedelta(minutes=1))
    changed = datetime.now(UTC)
    eventually(lambda: bool(listed(schedule="changing")), 10)
    assert listed(schedule="changing")[0].created_at - changed < timedelta(seconds=5)


def test_a_disabled_schedule_stays_silent() -> None:
    schedule = create_schedule("off", "sample.echo", cron="0 0 1 1 *")
    schedule.enabled = False
    save_schedule(schedule)
    create_schedule("on", "sample.echo", cron="0 0 1 1 *")
    due_now("off")  # as if its time had come, and before that of the other
    due_now("on")
    eventually(lambda: bool(listed(schedule="on")), 30)
    assert listed(schedule="off") == []


def test_running_a_schedule_by_hand_leaves_its_next_occurrence(
    worker: Process, final: Final
) -> None:
    schedule = create_schedule("yearly", "sample.echo", cron="0 0 1 1 *", params={"value": 9})
    job = final(trigger("yearly", actor="ada").job_id)
    assert (job.trigger, job.occurrence, job.result) == ("manual", None, 9)
    assert Schedule.objects.get(name="yearly").next_run_at == schedule.next_run_at


def test_a_schedule_that_cannot_run_says_so_and_harms_no_other() -> None:
    create_schedule("broken", "sample.nested", cron="0 3 * * *", params={"period": {"start": 1}})
    create_schedule("sound", "sample.echo", cron="0 3 * * *")
    Schedule.objects.filter(name="broken").update(params={}, job_type="sample.gone")
    due_now("broken")
    due_now("sound")
    eventually(lambda: bool(listed(schedule="sound")), 30)
    broken = eventually(lambda: Schedule.objects.exclude(last_error="").first(), 30)
    assert "sample.gone" in broken.last_error
    assert broken.next_run_at is not None


def test_a_bell_that_nobody_heard_rings_again(worker: Process, final: Final) -> None:
    job_id = submit("sample.echo", delay=timedelta(hours=1)).job_id
    # As if the broker had lost the ring: ready, and no message anywhere.
    Job.objects.filter(pk=job_id).update(state="queued", run_at=F("created_at"))
    assert final(job_id, 10).state == "completed"


def test_plain_periodic_tasks_go_on_working(worker: Process) -> None:
    every_second = IntervalSchedule.objects.create(every=1, period="seconds")
    task = PeriodicTask.objects.create(
        name="plain", task="sample.plain", args="[21]", interval=every_second
    )
    done = TaskResult.objects.filter(task_name="sample.plain", status="SUCCESS")
    try:
        assert eventually(done.all().first, 30).result == "42"
    finally:
        # Or the beat that others share goes on with it.
        task.delete()  # type: ignore[no-untyped-call]


def test_many_jobs_due_together_are_all_moved(final: Final, worker: Process) -> None:
    at = datetime.now(UTC) + timedelta(seconds=2)
    for _ in range(200):
        submit("sample.echo", run_at=at)
    eventually(lambda: Job.objects.filter(state="completed").count() == 200, 40)
    late = [job.started_at - job.run_at for job in Job.objects.all() if job.started_at]
    assert min(late) >= timedelta(0)
