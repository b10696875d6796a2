from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from jobs import Backoff, Priority
from jobs.backends.memory import drain
from jobs.models import Job
from jobs.public import (
    DuplicateJob,
    InvalidOption,
    InvalidParameters,
    JobNotFound,
    State,
    UnknownJobType,
    get,
    submit,
    submit_delayed,
)
from jobs.public import list as listed
from tests.sample.jobs import echo

pytestmark = pytest.mark.usefixtures("memory")


def test_a_job_is_a_row_at_once() -> None:
    job = get(submit("sample.echo", {"value": 1}).job_id)
    assert (job.state, job.priority, job.queue) == ("queued", Priority.NORMAL, "normal")
    assert job.max_attempts == 4  # three retries after the first run
    assert job.timeout == timedelta(minutes=10)
    assert len(job.trace_id) == 32


def test_a_job_type_submits_itself() -> None:
    assert get(echo.submit({"value": 7}).job_id).params == {"value": 7}


def test_ids_sort_by_age() -> None:
    ids = [submit("sample.echo").job_id for _ in range(20)]
    assert ids == sorted(ids)


def test_a_delayed_job_is_scheduled_and_cannot_be_taken() -> None:
    submission = submit_delayed("sample.echo", timedelta(hours=1))
    assert submission.state == State.SCHEDULED
    assert drain() == 0
    assert get(submission.job_id).state == "scheduled"
    assert drain(now=datetime.now(UTC) + timedelta(hours=2)) == 1
    assert get(submission.job_id).state == "completed"


def test_a_time_that_has_passed_means_now() -> None:
    submission = submit("sample.echo", run_at=datetime.now(UTC) - timedelta(days=1))
    assert submission.state == State.QUEUED


def test_a_time_may_be_told_in_any_zone() -> None:
    """PostgreSQL itself knows none that is 16 hours or more from UTC."""
    at = datetime(2031, 1, 31, 9, tzinfo=timezone(timedelta(hours=-23, minutes=-29)))
    assert get(submit("sample.echo", run_at=at).job_id).run_at == at
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=23)))
    assert submit("sample.echo", run_at=first).state == State.QUEUED


def test_the_callers_options_win_over_the_types() -> None:
    backoff = Backoff.linear(timedelta(seconds=1), jitter="none")
    options: dict[str, Any] = {
        "max_attempts": 9,
        "timeout": timedelta(seconds=30),
        "backoff": backoff,
    }
    job = get(submit("sample.trouble", {"kind": "error"}, **options).job_id)
    assert (job.max_attempts, job.timeout) == (9, timedelta(seconds=30))
    assert job.backoff == {
        "kind": "linear", "base_seconds": 1, "cap_seconds": 300, "factor": 1, "jitter": "none",
    }  # fmt: skip


def test_max_retries_counts_without_the_first_run() -> None:
    assert get(submit("sample.echo", max_retries=3).job_id).max_attempts == 4


def test_a_rollback_leaves_no_job(events: list[Any]) -> None:
    with transaction.atomic():
        submit("sample.echo")
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    assert events == []


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"period": {"start": "soon"}}, "period.start"),
        ({"period": {}}, "period.start"),
        ({}, "period"),
        ({"period": 3}, "period"),
    ],
)
def test_wrong_parameters_are_refused_by_path(params: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidParameters) as caught:
        submit("sample.nested", params)
    assert [problem[0] for problem in caught.value.problems] == [path]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "value", [object(), float("nan"), "a\0b", "\ud800", "x" * 300_000, {1: {2: object()}}]
)
def test_parameters_that_cannot_be_stored_are_refused(value: object) -> None:
    with pytest.raises(InvalidParameters):
        submit("sample.echo", {"value": value})
    assert not Job.objects.exists()


@pytest.mark.parametrize("params", [[1], "value", 7])
def test_parameters_that_are_no_object_are_refused(params: Any) -> None:
    with pytest.raises(InvalidParameters, match="object with named fields"):
        submit("sample.echo", params)


def test_parameters_nested_without_end_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidParameters):
        submit("sample.echo", {"value": deep})


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(UnknownJobType, match=r"did you mean 'sample\.echo'"):
        submit("sample.ecko")


@pytest.mark.parametrize(
    "options",
    [
        {"priority": "urgent"},
        {"queue": "unheard"},
        {"delay": timedelta(seconds=-1)},
        {"run_at": datetime(2030, 1, 1)},  # noqa: DTZ001 - on purpose
        {"timeout": timedelta(seconds=-1)},
        {"timeout": timedelta(days=4000)},
        {"timeout": 30},
        {"delay": 5},
        {"run_at": "2030-01-01"},
        {"backoff": "fixed"},
        {"trace_id": "x"},
        {"idempotency_key": "\ud800"},
        {"idempotency_key": ""},
        {"max_attempts": 0},
        {"on_duplicate": "maybe", "idempotency_key": "twice"},
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any]) -> None:
    if "on_duplicate" in options:
        submit("sample.echo", idempotency_key="twice")
    before = Job.objects.count()
    with pytest.raises(InvalidOption):
        submit("sample.echo", **options)
    assert Job.objects.count() == before


def test_the_same_key_finds_the_same_job() -> None:
    first = submit("sample.echo", {"value": 1}, idempotency_key="report-123")
    second = submit("sample.echo", {"value": 1}, idempotency_key="report-123")
    assert (second.job_id, first.duplicate, second.duplicate) == (first.job_id, False, True)
    assert Job.objects.count() == 1


def test_the_answer_to_a_program_has_its_keys() -> None:
    first = submit("sample.echo", idempotency_key="k")
    assert first.as_json() == {
        "message": "accepted",
        "jobId": str(first.job_id),
        "state": "queued",
        "duplicate": False,
    }
    again = submit("sample.echo", idempotency_key="k").as_json()
    assert (again["jobId"], again["duplicate"]) == (str(first.job_id), True)


def test_the_same_key_with_other_parameters_is_a_conflict() -> None:
    first = submit("sample.echo", {"value": 1}, idempotency_key="k")
    with pytest.raises(DuplicateJob, match="other parameters") as caught:
        submit("sample.echo", {"value": 2}, idempotency_key="k")
    assert caught.value.job_id == first.job_id


def test_a_key_may_forbid_a_second_submission() -> None:
    submit("sample.echo", idempotency_key="k")
    with pytest.raises(DuplicateJob):
        submit("sample.echo", idempotency_key="k", on_duplicate="error")


def test_a_key_may_replace_a_job_that_waits() -> None:
    first = submit("sample.echo", {"value": 1}, idempotency_key="k", delay=timedelta(hours=1))
    second = submit(
        "sample.echo", {"value": 2}, idempotency_key="k", on_duplicate="replace", priority="high"
    )
    job = get(first.job_id)
    assert second.job_id == first.job_id
    assert (job.params, job.state, job.queue) == ({"value": 2}, "queued", "high")
    drain()
    with pytest.raises(DuplicateJob, match="no longer be replaced"):
        submit("sample.echo", {"value": 3}, idempotency_key="k", on_duplicate="replace")


def test_keys_of_different_types_do_not_meet() -> None:
    submit("sample.echo", idempotency_key="k")
    assert not submit("sample.chatty", idempotency_key="k").duplicate


class ByCustomer:
    calls = 0

    def decide(self, job_type: str, params: Mapping[str, Any]) -> str | None:
        type(self).calls += 1
        if params["value"] == "broken":
            raise RuntimeError("no answer")
        return "critical" if params["value"] == "gold" else None


def test_the_decider_chooses_only_when_nobody_did(configure: Any) -> None:
    configure(priority_decider=f"{__name__}.ByCustomer")
    ByCustomer.calls = 0

    def chosen(value: str, **options: Any) -> tuple[str, str]:
        job = get(submit("sample.echo", {"value": value}, **options).job_id)
        return job.priority_label, job.priority_source

    assert chosen("gold") == ("critical", "decider")
    assert chosen("silver") == ("normal", "type")
    assert ByCustomer.calls == 2
    assert chosen("gold", priority="low") == ("low", "submission")
    assert ByCustomer.calls == 2


def test_a_decider_that_fails_costs_no_job(
    configure: Any, caplog: pytest.LogCaptureFixture
) -> None:
    configure(priority_decider=f"{__name__}.ByCustomer")
    job = get(submit("sample.echo", {"value": "broken"}).job_id)
    assert (job.priority_label, job.priority_source) == ("normal", "type")
    assert "priority_decider_failed" in caplog.text


def test_a_child_carries_event_trace_and_owner() -> None:
    event = uuid4()
    owner = get_user_model().objects.create_user("ada")
    parent = submit("sample.parent", event_id=event, created_by_id=owner.pk)
    drain()
    (child,) = listed(parent_id=parent.job_id)
    assert (child.event_id, child.created_by_id, child.trigger) == (event, owner.pk, "job")
    assert child.trace_id == get(parent.job_id).trace_id


def test_lists_are_filtered() -> None:
    low = submit("sample.echo", priority="low").job_id
    later = submit("sample.chatty", delay=timedelta(hours=1)).job_id
    assert [job.pk for job in listed()] == [later, low]
    assert [job.pk for job in listed(state="delayed")] == [later]
    assert [job.pk for job in listed(priority="low", job_type="sample.echo")] == [low]
    assert listed(state="dead") == []
    with pytest.raises(ValueError, match="limit"):
        listed(limit=0)


@pytest.mark.parametrize("job_id", ["", "7", uuid4(), "not-an-id"])
def test_an_unknown_job_is_said_to_be_unknown(job_id: Any) -> None:
    with pytest.raises(JobNotFound, match="there is no job"):
        get(job_id)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"prority": "critical"}, "did you mean 'priority'"),
        ({"retries": 3}, "no option 'retries'"),
        ({"max_attempts": "3"}, "max_attempts must be a int, not '3'"),
        ({"max_retries": 2.5}, "max_retries must be a int"),
        ({"event_id": "x"}, "event_id must be a UUID, not 'x'"),
        ({"parent_id": "nope"}, "parent_id must be a UUID"),
        ({"created_by_id": 99}, "created_by_id 99 is no user"),
        ({"created_by_id": "ada"}, "created_by_id 'ada' is no user"),
        ({"on_duplicate": "maybe"}, "on_duplicate must be ignore, replace or error"),
    ],
)
def test_an_option_of_the_wrong_kind_is_refused_by_name(options: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidOption, match=told):
        submit("sample.echo", **options)
    assert not Job.objects.exists()


@pytest.mark.parametrize("name", [None, 7, ["sample.echo"]])
def test_a_type_that_is_no_name_is_unknown(name: Any) -> None:
    with pytest.raises(UnknownJobType, match="is not registered"):
        submit(name)


def test_an_unknown_filter_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be filtered by 'status'; use one of: state"):
        listed(status="failed")  # type: ignore[call-arg]


class Breaks:
    def decide(self, job_type: str, params: Any) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
        return "critical"


def test_a_decider_whose_query_fails_leaves_the_callers_transaction_whole(configure: Any) -> None:
    configure(priority_decider=f"{__name__}.Breaks")
    with transaction.atomic():
        job_id = submit("sample.echo").job_id
        assert get(job_id).priority_source == "type"
    assert get(job_id).state == "queued"
