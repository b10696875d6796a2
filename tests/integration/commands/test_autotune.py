"""`manage.py jobs autotune`, and what `submit` says of a full queue."""

import json
from datetime import timedelta

from django.utils import timezone
from pytest_django import Settings

from jobs.models import AuditEntry, Job
from jobs.public import NewJob, submit, submit_many
from jobs.selectors.machine import usable_cores
from tests.integration.commands.running import DONE, FAILED, Run


def test_a_new_site_has_a_slot_a_core_and_ten_thousand_jobs(run: Run) -> None:
    told = run("autotune", "--json").json
    assert set(told) == {"inputs", "observed", "plan", "set", "advice"}
    assert told["set"] == {"JOBSITE_WORKERS": usable_cores(), "JOBSITE_QUEUE_SIZE": 10_000}
    assert (told["plan"]["slots"], told["plan"]["queue_size"]) == (usable_cores(), 10_000)
    assert told["inputs"]["arrival_per_second"] == 0
    assert told["advice"] == []


def test_the_same_data_give_the_same_result(run: Run) -> None:
    submit_many(NewJob("sample.echo", {"value": n}) for n in range(72))
    now = timezone.now()
    Job.objects.update(state="completed", started_at=now - timedelta(seconds=0.5), finished_at=now)
    first, again = run("autotune"), run("autotune")
    assert (first.code, first.out) == (DONE, again.out)
    assert run("autotune", "--json").out == run("autotune", "--json").out
    words = " ".join(first.out.split())
    assert "jobs that arrive a second 0.02" in words
    assert "0.02 jobs/s * 0.5 s = 0.01 (Little's law, L = λ·W)" in words
    told = run("autotune", "--json").json
    for name, value in told["set"].items():
        assert f"{name}={value}" in first.out


def test_it_says_what_contradicts_the_settings(run: Run, settings: Settings) -> None:
    submit_many(NewJob("sample.echo") for _ in range(3))
    settings.JOBS = {**settings.JOBS, "QUEUE_SIZE": 2}
    told = run("autotune").out
    assert "Queue normal has 3 ready jobs, more than its capacity of 2" in told
    assert len(run("autotune", "--json").json["advice"]) == 1


def test_submit_says_that_the_queue_is_full(run: Run, settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "QUEUE_SIZE": 1}
    submit("sample.echo")
    ran = run("submit", "sample.echo")
    assert (ran.code, ran.out) == (FAILED, "")
    assert "queue normal is full" in ran.error
    assert "again in 1 s" in ran.error
    as_json = run("submit", "sample.echo", "--json")
    assert json.loads(as_json.error)["code"] == "failed"
    assert (Job.objects.count(), AuditEntry.objects.count()) == (1, 0)
