"""Looking at jobs and steering them: `manage.py jobs list`, `show`, `watch`, `cancel`, `retry`."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from jobs.backends.memory import drain
from jobs.models import AuditEntry, Job
from jobs.public import create_schedule, retry, submit
from tests.integration.commands.running import CONFLICT, FAILED, NOT_FOUND, TIMED_OUT, USAGE, Run


def test_it_is_a_line_a_job_newest_first(run: Run) -> None:
    ids = [str(submit("sample.echo").job_id) for _ in range(3)]
    heading, *rows = run("list").out.splitlines()
    assert heading.split()[:3] == ["job", "type", "state"]
    assert [row.split()[0] for row in rows] == ids[::-1]


def test_filters(run: Run, dead: str) -> None:
    waiting = submit("sample.echo", priority="low").job_id

    def found(*arguments: str) -> list[str]:
        return [each["id"] for each in run("list", *arguments, "--json").json]

    assert found() == [str(waiting), dead]
    assert found("--state", "dead") == found("--state", "failed") == [dead]
    assert found("--type", "sample.echo") == found("--priority", "low") == [str(waiting)]
    assert found("--queue", "low") == found("--limit", "1") == [str(waiting)]
    Job.objects.filter(pk=dead).update(created_at=timezone.now() - timedelta(hours=2))
    assert found("--since", "1h") == [str(waiting)]
    create_schedule("nightly", "sample.echo", cron="@daily")
    assert found("--schedule", "nightly") == []


def test_none(run: Run) -> None:
    assert (run("list").out, run("list", "--json").json) == ("no jobs match\n", [])


@pytest.mark.parametrize(
    "wrong",
    [["--state", "gone"], ["--limit", "0"], ["--since", "x"], ["--type", "sample.ecco"]],
)
def test_a_wrong_filter(run: Run, wrong: list[str]) -> None:
    ran = run("list", *wrong)
    assert (ran.code, ran.out) == (USAGE, "")
    assert wrong[1] in ran.error


def test_a_schedule_that_is_none(run: Run) -> None:
    ran = run("list", "--schedule", "nightly")
    assert (ran.code, ran.out, "'nightly'" in ran.error) == (NOT_FOUND, "", True)


def test_a_type_that_is_unknown_suggests_another(run: Run) -> None:
    assert "did you mean 'sample.echo'?" in run("list", "--type", "sample.ecco").error


def test_a_type_that_is_gone_can_be_asked_for_while_it_has_jobs(run: Run, dead: str) -> None:
    Job.objects.filter(pk=dead).update(job_type="sample.gone")
    assert [each["id"] for each in run("list", "--type", "sample.gone", "--json").json] == [dead]
    assert run("retry", "--type", "sample.gone", "--json").json == {"retried": 1}


def test_a_list_says_when_jobs_are_due_and_how_long_they_run(run: Run) -> None:
    submit("sample.echo", delay=timedelta(hours=1))
    running = submit("sample.echo").job_id
    began = timezone.now() - timedelta(minutes=3)
    Job.objects.filter(pk=running).update(state="running", started_at=began)
    _, first, second = run("list").out.splitlines()
    assert "running" in first
    assert "3 min so far" in first
    assert "scheduled" in second
    assert "due in 1 h" in second


def test_everything_is_there(run: Run) -> None:
    job_id = submit("sample.chatty").job_id
    drain()
    told = run("show", job_id).out
    assert "sample.chatty  ✔ completed" in told
    assert "queued → " in told
    assert 'hello {"answer": 42}' in told
    whole = run("show", job_id, "--json").json
    assert [whole["state"], whole["log"][0]["message"]] == ["completed", "hello"]
    assert whole["timeline"][-1]["to"] == "completed"


def test_the_last_attempts_traceback(run: Run, dead: str) -> None:
    told = run("show", dead).out
    assert "Run 1, attempt 1: error after" in told
    assert 'raise PermanentError("no use")' in told


def test_errors_that_repeat_are_told_once(run: Run) -> None:
    job_id = submit("sample.trouble", {"kind": "error"}, max_attempts=2).job_id
    later = timezone.now() + timedelta(hours=1)
    while drain(now=later):
        pass
    retry(job_id)
    while drain(now=later):
        pass
    told = run("show", job_id).out
    assert "run 4, attempt 2" in told  # its line in the timeline
    headings = [line for line in told.splitlines() if line.startswith("Run")]
    assert len(headings) == 1
    assert headings[0].startswith("Runs 1 to 4: error each time, the last, attempt 2, after 0.")
    assert len(run("show", job_id, "--json").json["attempts"]) == 4


@pytest.mark.parametrize("job_id", [str(uuid4()), "nonsense"])
def test_no_such_job(run: Run, job_id: str) -> None:
    for verb in ("show", "watch", "cancel", "retry"):
        ran = run(verb, job_id)
        assert (ran.code, job_id in ran.error) == (NOT_FOUND, True), verb


def test_a_job_that_is_final(run: Run, dead: str) -> None:
    assert (run("watch", dead).code, run("watch", dead, "--json").json["state"]) == (
        FAILED,
        "failed",
    )


def test_a_job_that_does_not_end(run: Run) -> None:
    ran = run("watch", submit("sample.echo").job_id, "--wait", "50ms")
    assert (ran.code, "queued" in ran.out) == (TIMED_OUT, True)


def test_cancel_and_retry(run: Run) -> None:
    job_id = submit("sample.echo").job_id
    assert run("cancel", job_id).out == f"{job_id}  ⊘ cancelled\n"
    assert run("retry", job_id).out == f"{job_id}  ○ queued\n"
    actors = AuditEntry.objects.values_list("actor", flat=True)
    assert all(actor.endswith("command line)") for actor in actors)
    assert len(actors) == 2


def test_a_state_that_does_not_allow_it(run: Run, dead: str) -> None:
    cancel = run("cancel", dead)
    assert (cancel.code, dead in cancel.error) == (CONFLICT, True)
    retry = run("retry", submit("sample.echo").job_id)
    assert (retry.code, "queued" in retry.error) == (CONFLICT, True)


def test_of_several_one_is_wrong(run: Run) -> None:
    ids = [str(submit("sample.echo").job_id) for _ in range(2)]
    ran = run("cancel", ids[0], "nonsense", ids[1], "--json")
    assert ran.code == NOT_FOUND
    assert [each.get("state") for each in ran.json] == ["cancelled", None, "cancelled"]
    assert ran.json[1]["jobId"] == "nonsense"


def test_retrying_all_that_match(run: Run, dead: str) -> None:
    other = submit("sample.echo", {"value": "x"}).job_id
    Job.objects.filter(pk=other).update(
        state="failed",
        failure_reason="timeout",
        error_type="JobTimeout",
        finished_at=timezone.now(),
    )
    assert run("retry", "--reason", "timeout", "--error", "Other", "--json").json == {"retried": 0}
    assert (
        run("retry", "--reason", "timeout", "--error", "JobTimeout").out == "1 job queued again\n"
    )
    assert Job.objects.get(pk=other).state == "queued"
    assert Job.objects.get(pk=dead).state == "failed"
    assert run("retry", "--all", "--json").json == {"retried": 1}
    assert AuditEntry.objects.filter(action="job.retry").count() == 2


def test_what_contradicts_itself_is_told_in_options(run: Run) -> None:
    told = run("retry", "--all", "--type", "sample.echo", "--since", "1h").error
    assert "--all and --type, --since were both given" in told


@pytest.mark.parametrize(
    "arguments",
    [["retry"], ["retry", uuid4(), "--all"], ["discard"], ["retry", "--all", "--type", "x"]],
)
def test_it_must_be_said_which(run: Run, dead: str, arguments: list[object]) -> None:
    assert run(*arguments).code == USAGE
    assert Job.objects.get(pk=dead).state == "failed"


def test_discarding_takes_dead_letters_only(run: Run, dead: str) -> None:
    waiting = submit("sample.trouble", {"kind": "permanent"}).job_id
    assert run("discard", "--type", "sample.echo").out == "0 dead letters removed\n"
    assert run("discard", "--type", "sample.trouble", "--json").json == {"removed": 1}
    assert list(Job.objects.values_list("pk", flat=True)) == [waiting]
    entry = AuditEntry.objects.get(action="job.discard")
    assert entry.details == {"count": 1}
