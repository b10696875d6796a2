"""`manage.py jobs submit` and `trigger`."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from jobs.management.actor import command_line_actor
from jobs.models import AuditEntry, Job
from jobs.public import create_schedule, get, submit
from tests.integration.commands.running import (
    CONFLICT,
    DONE,
    FAILED,
    NOT_FOUND,
    TIMED_OUT,
    USAGE,
    Run,
)


def test_it_prints_the_job(run: Run) -> None:
    ran = run("submit", "sample.echo", "-p", "value=5")
    job_id, _, state = ran.out.split()
    assert (ran.code, state) == (DONE, "queued")
    assert get(job_id).params == {"value": 5}
    assert get(job_id).trigger == Job.Trigger.MANUAL


@pytest.mark.parametrize(
    ("written", "value"),
    [("5", 5), ("five", "five"), ("a=b", "a=b"), ("", ""), ('{"a": [null]}', {"a": [None]})],
)
def test_a_value_is_json_or_else_text(run: Run, written: str, value: object) -> None:
    ran = run("submit", "sample.echo", "-p", f"value={written}", "--json")
    assert get(ran.json["jobId"]).params == {"value": value}


def test_parameters_come_from_json_a_file_and_single_ones(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "params.json"
    path.write_text('{"path": "x", "label": "file"}')
    ran = run("submit", "sample.work", "--params", f"@{path}", "-p", "label=own", "--json")
    assert get(ran.json["jobId"]).params == {"path": "x", "label": "own", "seconds": 0}


def test_options_reach_the_job(run: Run) -> None:
    told = run(
        *[
            "submit",
            "sample.own_queue",
            "-p",
            "path=x",
            "--priority",
            "high",
            "--delay",
            "1.5h",
        ],
        *["--key", "k", "--max-attempts", "7", "--timeout", "30s", "--queue", "sample"],
        "--json",
    ).json
    job = get(told["jobId"])
    assert told == {
        "message": "accepted",
        "jobId": str(job.pk),
        "state": "scheduled",
        "duplicate": False,
    }
    assert job.run_at - job.created_at == timedelta(hours=1.5)
    assert (job.queue, job.idempotency_key, job.max_attempts) == ("sample.high", "k", 7)
    assert job.timeout == timedelta(seconds=30)


def test_a_moment_with_a_zone(run: Run) -> None:
    at = datetime.now(timezone(timedelta(hours=1))).replace(microsecond=0) + timedelta(days=9)
    told = run("submit", "sample.echo", "--at", at.isoformat(), "--json").json
    assert get(told["jobId"]).run_at == at


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sample.gone"], "'sample.gone' is not registered"),
        (["sample.nested", "--params", '{"period": {"start": "x"}}'], "period.start: "),
        (["sample.echo", "-p", "typo=1"], "typo: is unknown; use one of: value"),
        (["sample.echo", "--at", "2130-01-31T09:00:00"], "is naive; give it a time zone"),
        (["sample.echo", "--at", "tomorrow"], "'tomorrow' is not a moment"),
        (["sample.echo", "--delay", "soon"], "'soon' is not a length of time"),
        (["sample.echo", "--delay", "1m", "--at", "2130-01-31T09:00Z"], "--delay and --at were"),
        (["sample.echo", "--params", "{value"], "the parameters are not JSON"),
        (["sample.echo", "--params", "[1]"], "must be a JSON object, not list"),
        (["sample.echo", "--params", "@/nowhere/x"], "No such file"),
        (["sample.echo", "-p", "value"], "'value' must be written name=value"),
        (["sample.echo", "--queue", "elsewhere"], "queue 'elsewhere' is unknown"),
        (["sample.echo", "--max-attempts", "0"], "--max-attempts must"),
        (["sample.echo", "--timeout", "0"], "--timeout 0:00:00 must"),
        (["sample.echo", "--key", "k" * 300], "--key must"),
        (["sample.echo", "--priority", "urgent"], "invalid choice: 'urgent'"),
    ],
)
def test_wrong_input_is_told_and_nothing_stored(run: Run, arguments: list[str], told: str) -> None:
    ran = run("submit", *arguments)
    assert (ran.code, ran.out) == (USAGE, "")
    assert told in ran.error
    assert not Job.objects.exists()


def test_a_taken_key_is_a_conflict_unless_the_parameters_are_the_same(run: Run) -> None:
    first = run("submit", "sample.echo", "-p", "value=1", "--key", "k", "--json").json
    again = run("submit", "sample.echo", "-p", "value=1", "--key", "k", "--json").json
    assert again == {**first, "duplicate": True, "message": "known by its key"}
    other = run("submit", "sample.echo", "-p", "value=2", "--key", "k")
    assert other.code == CONFLICT
    assert first["jobId"] in other.error
    assert "--on-duplicate replace" in other.error
    refused = run("submit", "sample.echo", "-p", "value=1", "--key", "k", "--on-duplicate=error")
    assert refused.code == CONFLICT
    replaced = run("submit", "sample.echo", "-p", "value=2", "--key", "k", "--on-duplicate=replace")
    assert (replaced.code, get(first["jobId"]).params) == (DONE, {"value": 2})
    assert replaced.out == f"{first['jobId']}  ○ queued, replaced\n"


def test_a_value_that_is_named_as_an_option_stays_as_it_is(run: Run) -> None:
    run("submit", "sample.echo", "-p", "value=1", "--key", "run_at")
    told = run("submit", "sample.echo", "-p", "value=2", "--key", "run_at").error
    assert told.startswith("--key 'run_at' of sample.echo belongs to job ")


def test_who_submitted_is_recorded_and_told(run: Run) -> None:
    job_id = run("submit", "sample.echo", "--key", "k", "--json").json["jobId"]
    run("submit", "sample.echo", "--key", "k")  # finds the first one's job
    (entry,) = AuditEntry.objects.filter(target_id=job_id)
    assert (entry.action, entry.actor) == ("job.submit", command_line_actor())
    (moment,) = run("show", job_id, "--json").json["timeline"]
    assert (moment["to"], moment["actor"]) == ("queued", entry.actor)
    run("submit", "sample.echo", "-p", "value=1", "--key", "k", "--on-duplicate", "replace")
    assert run("show", job_id, "--json").json["timeline"][1]["note"] == "job.replace"


def test_a_refused_submission_leaves_no_record(run: Run) -> None:
    assert run("submit", "sample.echo", "-p", "typo=1").code == USAGE
    assert not AuditEntry.objects.exists()


def test_waiting_for_a_job_that_completes(run: Run, immediate: None) -> None:
    ran = run("submit", "sample.echo", "-p", "value=[1]", "--wait")
    assert ran.code == DONE
    assert ran.out.splitlines()[0].endswith("completed")
    assert ran.out.splitlines()[1] == "[1]"
    told = run("submit", "sample.echo", "-p", "value=[1]", "--wait", "--json").json
    assert (told["state"], told["result"]) == ("completed", [1])


def test_waiting_for_a_job_that_fails(run: Run, immediate: None) -> None:
    ran = run("submit", "sample.trouble", "-p", "kind=permanent", "--wait")
    assert ran.code == FAILED
    assert "failed: no use" in ran.out


def test_waiting_longer_than_told(run: Run) -> None:
    ran = run("submit", "sample.echo", "--wait", "50ms", "--json")
    assert (ran.code, ran.json["state"]) == (TIMED_OUT, "queued")


def test_waiting_with_no_worker_alive_says_how_to_start_one(run: Run, immediate: None) -> None:
    hint = "no worker is alive; start one with `celery -A jobsite worker`"
    waiting = submit("sample.echo", delay=timedelta(hours=1)).job_id
    assert hint in run("watch", waiting, "--wait", "0").error
    assert hint not in run("submit", "sample.echo", "--wait").error  # it has ended


def test_results_are_printed_as_json(run: Run, immediate: None) -> None:
    ran = run("submit", "sample.echo", "-p", 'value={"a": [true, null, "é"]}', "--wait")
    assert ran.out.splitlines()[1] == '{"a": [true, null, "é"]}'


def test_it_runs_the_schedules_job(run: Run) -> None:
    create_schedule("nightly", "sample.echo", cron="0 3 * * *", params={"value": 1})
    told = run("trigger", "nightly", "--json").json
    assert get(told["jobId"]).trigger == Job.Trigger.MANUAL
    (moment,) = run("show", told["jobId"], "--json").json["timeline"]
    assert (moment["actor"], moment["note"]) == (command_line_actor(), "schedule nightly, run now")
    assert run("trigger", "nightly").out.endswith("queued\n")


def test_waiting_for_a_schedules_job(run: Run, immediate: None) -> None:
    create_schedule("nightly", "sample.echo", cron="0 3 * * *", params={"value": 1})
    assert run("trigger", "nightly", "--wait", "--json").json["result"] == 1


def test_no_such_schedule(run: Run) -> None:
    ran = run("trigger", "daily")
    assert (ran.code, "daily" in ran.error) == (NOT_FOUND, True)


def test_it_waits_for_other_jobs(run: Run) -> None:
    parent = str(submit("sample.echo", delay=timedelta(hours=1)).job_id)
    ran = run("submit", "sample.echo", "--after", parent, "--if-it-fails", "skip", "--json")
    assert ran.json["state"] == "blocked"
    shown = run("show", ran.json["jobId"])
    assert "Waits for" in shown.out
    for told in (parent, "pending", "skip"):
        assert told in shown.out
    assert ran.json["jobId"] in run("show", parent).out
    assert run("submit", "sample.echo", "--after", "nothing").code == NOT_FOUND
