"""Looking at jobs and steering them: `manage.py jobs list`, `show`, `watch`, `cancel`, `retry`."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from jobs.backends.memory import drain
from jobs.models import AuditEntry, Job
from jobs.public import submit
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
    assert found("--schedule", "none") == []


def test_none(run: Run) -> None:
    assert (run("list").out, run("list", "--json").json) == ("no jobs match\n", [])


@pytest.mark.parametrize("wrong", [["--state", "gone"], ["--limit", "0"], ["--since", "x"]])
def test_a_wrong_filter(run: Run, wrong: list[str]) -> None:
    ran = run("list", *wrong)
    assert (ran.code, ran.out) == (USAGE, "")
    assert wrong[1] in ran.error


def test_everything_is_there(run: Run) -> None:
    job_id = submit("sample.chatty").job_id
    drain()
    told = run("show", job_id).out
    assert "sample.chatty  ✔ completed" in told
    assert "queued → " in told
    assert "hello {'answer': 42}" in told
    whole = run("show", job_id, "--json").json
    assert [whole["state"], whole["log"][0]["message"]] == ["completed", "hello"]
    assert whole["timeline"][-1]["to"] == "completed"


def test_the_last_attempts_traceback(run: Run, dead: str) -> None:
    told = run("show", dead).out
    assert "Attempt 1 error after" in told
    assert 'raise PermanentError("no use")' in told


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
