"""Many jobs by few statements: each as if it had been submitted by itself."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Unpack

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from jobs import Backoff, Priority
from jobs.backends.memory import drain
from jobs.domain.events import Event
from jobs.domain.options import SubmitOptions
from jobs.models import Job
from jobs.public import (
    DuplicateJob,
    InvalidOption,
    InvalidParameters,
    NewJob,
    State,
    UnknownJobType,
    get,
    submit,
    submit_many,
)
from jobs.services import bulk
from tests.sample.jobs import echo

pytestmark = pytest.mark.usefixtures("memory")


class ByValue:
    def decide(self, job_type: str, params: Mapping[str, Any]) -> Priority:
        return Priority(params["value"])


def echoes(count: int, **options: Unpack[SubmitOptions]) -> list[NewJob]:
    return [NewJob("sample.echo", {"value": n}, options) for n in range(count)]


def comparable(job: Job) -> dict[str, Any]:
    its_own = {"id", "created_at", "run_at", "scheduled_for", "expires_at", "trace_id"}
    return {
        field.attname: getattr(job, field.attname)
        for field in Job._meta.concrete_fields
        if field.attname not in its_own
    }


@pytest.mark.parametrize("alike", [True, False])
def test_each_is_the_row_that_submit_would_have_made(alike: bool) -> None:
    user = get_user_model().objects.create_user("ada")
    options: SubmitOptions = {
        "delay": timedelta(hours=1), "priority": "high", "max_attempts": 7,
        "timeout": timedelta(minutes=3, microseconds=5), "backoff": Backoff.fixed(timedelta(1)),
        "expires_in": timedelta(hours=2), "created_by_id": user.pk, "trace_id": "0" * 31 + "a",
    }  # fmt: skip
    new = [NewJob("sample.echo", {"value": {"a": ["ü", None, 1.5]}}, options)] * 2
    if not alike:
        new.append(NewJob("sample.default"))
    one = get(submit("sample.echo", {"value": {"a": ["ü", None, 1.5]}}, **options).job_id)
    result = submit_many(new)
    assert result.errors == {}
    for submission in result.submissions[:2]:
        assert submission is not None
        assert submission.state == State.SCHEDULED
        job = get(submission.job_id)
        assert comparable(job) == comparable(one)
        assert job.run_at - job.created_at == timedelta(hours=1)
        assert job.expires_at is not None
        assert job.expires_at - job.run_at == timedelta(hours=2)
        assert job.scheduled_for == job.run_at
        assert job.trace_id == one.trace_id


def test_a_thousand_take_no_more_than_five_statements() -> None:
    with CaptureQueriesContext(connection) as captured:
        result = submit_many(echoes(1000))
    assert len(captured) <= 5
    assert [get(job_id).params["value"] for job_id in result.job_ids[::100] if job_id] == [
        *range(0, 1000, 100)
    ]
    assert Job.objects.count() == 1000
    assert len({job.trace_id for job in Job.objects.all()}) == 1


def test_ids_come_in_the_order_of_the_jobs_and_sort_by_it() -> None:
    ids = submit_many(echoes(200)).job_ids
    assert ids == sorted(ids, key=str)
    assert drain() == 200


def test_wrong_ones_are_named_by_their_place_and_the_others_accepted() -> None:
    result = submit_many(
        [
            NewJob("sample.echo", {"value": 1}),
            NewJob("sample.ecko"),
            NewJob("sample.echo", {"wrong": 1}),
            NewJob("sample.echo", {"value": 4}, {"priority": "urgent"}),
            NewJob("sample.echo", {"value": 5}, {"prioriti": "low"}),  # type: ignore[typeddict-unknown-key]
            "sample.echo",  # type: ignore[list-item]
            NewJob("sample.echo", {"value": "\ud800"}),
            NewJob("sample.nested", {"period": {"start": 7}}, {"priority": "low"}),
        ]
    )
    kinds = {place: type(error) for place, error in result.errors.items()}
    assert kinds == {
        1: UnknownJobType, 2: InvalidParameters, 3: InvalidOption, 4: InvalidOption,
        5: InvalidOption, 6: InvalidParameters,
    }  # fmt: skip
    assert [job_id is not None for job_id in result.job_ids] == [True, *[False] * 6, True]
    assert {job.job_type: job.priority for job in Job.objects.all()} == {
        "sample.echo": Priority.NORMAL, "sample.nested": Priority.LOW,
    }  # fmt: skip


def test_nothing_is_no_mistake() -> None:
    result = submit_many([])
    assert (result.submissions, result.errors) == ([], {})


def test_they_are_read_as_they_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 10)
    stored: list[int] = []

    def lazily() -> Any:
        for n in range(35):
            stored.append(Job.objects.count())
            yield NewJob("sample.echo", {"value": n})

    assert len(submit_many(lazily()).submissions) == 35
    assert stored == [*[0] * 10, *[10] * 10, *[20] * 10, *[30] * 5]


def test_a_key_finds_the_job_that_has_it() -> None:
    earlier = submit("sample.echo", {"value": 1}, idempotency_key="a")
    result = submit_many(
        [
            NewJob("sample.echo", {"value": 1}, {"idempotency_key": "a"}),
            NewJob("sample.echo", {"value": 2}, {"idempotency_key": "a"}),
            NewJob("sample.echo", {"value": 3}, {"idempotency_key": "b"}),
            NewJob("sample.echo", {"value": 3}, {"idempotency_key": "b"}),
            NewJob("sample.echo", {"value": 3}, {"idempotency_key": "b", "on_duplicate": "error"}),
            NewJob(
                "sample.echo", {"value": 9}, {"idempotency_key": "a", "on_duplicate": "replace"}
            ),
            NewJob("sample.echo", {"value": 4}),
        ]
    )
    assert [bool(each and each.duplicate) for each in result.submissions] == [
        True, False, False, True, False, True, False,
    ]  # fmt: skip
    assert {place: type(error) for place, error in result.errors.items()} == {
        1: DuplicateJob, 4: DuplicateJob,
    }  # fmt: skip
    ids = result.job_ids
    assert ids[0] == ids[5] == earlier.job_id
    assert ids[2] == ids[3]
    assert get(earlier.job_id).params == {"value": 9}
    assert Job.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_they_belong_to_the_callers_transaction(events: list[Event]) -> None:
    with transaction.atomic():
        submit_many(echoes(20))
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    assert events == []
    submit_many(echoes(20))
    assert [str(event.name) for event in events] == ["job.created"] * 20


def test_the_decider_chooses_for_each(configure: Any) -> None:
    configure(priority_decider=f"{__name__}.ByValue")
    submit_many(echoes(3))
    submit_many(echoes(1, priority="low"))
    assert [(job.priority, job.priority_source) for job in Job.objects.order_by("id")] == [
        (Priority.CRITICAL, "decider"), (Priority.HIGH, "decider"), (Priority.NORMAL, "decider"),
        (Priority.LOW, "submission"),
    ]  # fmt: skip


def test_a_job_type_submits_many_of_itself() -> None:
    result = echo.submit_many(({"value": n} for n in range(3)), priority="low")
    assert [get(job_id).params["value"] for job_id in result.job_ids if job_id] == [0, 1, 2]
    assert {job.priority for job in Job.objects.all()} == {Priority.LOW}
