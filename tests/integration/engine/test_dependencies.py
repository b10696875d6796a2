"""Jobs that wait for others."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from jobs import After, JobContext
from jobs.backends.memory import drain
from jobs.domain.events import Event
from jobs.models import Dependency, Job
from jobs.public import (
    InvalidOption,
    InvalidTransition,
    NewJob,
    State,
    cancel,
    describe,
    get,
    purge,
    retry,
    submit,
    submit_many,
)
from jobs.selectors.history import timeline
from jobs.selectors.ledger import ledger
from jobs.services.dependencies import settle_missed
from jobs.services.expiry import expire_overdue
from jobs.services.tenants import create_tenant

pytestmark = pytest.mark.usefixtures("memory")
NEVER = {"kind": "permanent"}


def echo(value: Any = None, **options: Any) -> UUID:
    return submit("sample.echo", {"value": value}, **options).job_id


def broken(**options: Any) -> UUID:
    return submit("sample.trouble", NEVER, **options).job_id


def state_of(job_id: UUID) -> str:
    return str(get(job_id).state)


@pytest.mark.django_db(transaction=True)
def test_a_job_waits_until_all_that_it_depends_on_have_completed(events: list[Event]) -> None:
    first, second = echo(1), echo(2, delay=timedelta(hours=1))
    child = submit("sample.echo", depends_on=[first, second])
    assert child.state == State.BLOCKED
    assert drain() == 1
    assert state_of(child.job_id) == "blocked"
    drain(now=datetime.now(UTC) + timedelta(hours=2))
    assert state_of(child.job_id) == "completed"
    told = [event.name for event in events if event.job_id == child.job_id]
    assert told == ["job.created", "job.queued", "job.started", "job.completed"]


def test_a_handler_has_the_results_of_what_it_waited_for() -> None:
    first, second, third = echo({"a": 1}), broken(), echo(3)
    child = submit("sample.gathered", depends_on=[third, After(second, "continue"), first])
    drain()
    expected = [[str(third), 3], [str(second), None], [str(first), {"a": 1}]]
    assert get(child.job_id).result == expected
    assert JobContext("sample.gathered").results() == {}


@pytest.mark.parametrize(
    ("on_failure", "state", "reason"),
    [
        ("fail", "failed", "dependency_failed"),
        ("skip", "cancelled", ""),
        ("continue", "completed", ""),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_what_a_failure_means(on_failure: Any, state: str, reason: str, before: bool) -> None:
    """The same whether the failure comes before the submission or after it."""
    parent = broken()
    if before:
        drain()
    child = submit("sample.echo", depends_on=[After(parent, on_failure)]).job_id
    grandchild = submit("sample.echo", depends_on=[child]).job_id
    drain()
    job = get(child)
    assert (job.state, job.failure_reason) == (state, reason)
    if state != "completed":
        assert job.error == f"it waited for sample.trouble {parent}, which is failed"
        assert job.error_type == "DependencyFailed"
    assert state_of(grandchild) == ("completed" if state == "completed" else "failed")


def test_a_cancelled_job_counts_as_one_that_failed() -> None:
    parent = echo(delay=timedelta(hours=1))
    child = submit("sample.echo", depends_on=[parent]).job_id
    cancel(parent, actor="a test")
    assert state_of(child) == "failed"


def test_what_waits_for_a_job_that_expires_fails_with_it() -> None:
    parent = echo(expires_in=timedelta(seconds=1))
    child = submit("sample.echo", depends_on=[parent]).job_id
    expire_overdue(now=datetime.now(UTC) + timedelta(hours=1))
    assert (state_of(parent), state_of(child)) == ("failed", "failed")


def test_a_blocked_job_can_be_cancelled() -> None:
    parent = echo()
    child = submit("sample.echo", depends_on=[parent]).job_id
    assert cancel(child, actor="a test").state == "cancelled"
    drain()
    assert state_of(child) == "cancelled"


def test_after_what_it_waits_for_a_job_still_waits_for_its_own_time() -> None:
    parent = echo()
    child = submit("sample.echo", depends_on=[parent], delay=timedelta(seconds=5)).job_id
    drain()
    assert state_of(child) == "scheduled"
    drain(now=datetime.now(UTC) + timedelta(seconds=6))
    assert state_of(child) == "completed"


def test_the_time_to_start_in_begins_when_a_job_may_run() -> None:
    parent = echo(delay=timedelta(hours=1))
    child = submit("sample.echo", depends_on=[parent], expires_in=timedelta(minutes=1)).job_id
    assert expire_overdue(now=datetime.now(UTC) + timedelta(minutes=30)) == 0
    Job.objects.filter(pk=child).update(
        run_at=datetime.now(UTC) - timedelta(hours=1),
        expires_at=datetime.now(UTC) - timedelta(minutes=59),
    )
    cancelled_parent = Dependency.objects.get(child_id=child)
    cancelled_parent.on_failure = "continue"
    cancelled_parent.save()
    cancel(parent, actor="a test")
    job = get(child)
    assert job.state == "queued"
    assert job.expires_at is not None
    left = job.expires_at - datetime.now(UTC)
    assert timedelta(seconds=50) < left <= timedelta(minutes=1)


def test_a_rolled_back_end_lets_nothing_go() -> None:
    parent = echo(delay=timedelta(hours=1))
    child = submit("sample.echo", depends_on=[After(parent, "continue")]).job_id
    with transaction.atomic():
        cancel(parent, actor="a test")
        transaction.set_rollback(True)
    assert (state_of(parent), state_of(child)) == ("scheduled", "blocked")


class TestRetrying:
    def test_what_failed_with_a_job_waits_for_it_again(self) -> None:
        parent = submit("sample.trouble", {"kind": "permanent"}).job_id
        child = submit("sample.echo", depends_on=[parent]).job_id
        skipped = submit("sample.echo", depends_on=[After(child, "skip")]).job_id
        drain()
        assert (state_of(child), state_of(skipped)) == ("failed", "cancelled")
        Job.objects.filter(pk=parent).update(params={"kind": "none"})
        retry(parent, actor="a test")
        assert [state_of(each) for each in (parent, child, skipped)] == [
            "queued", "blocked", "blocked",
        ]  # fmt: skip
        drain()
        assert [state_of(each) for each in (parent, child, skipped)] == ["completed"] * 3

    def test_what_someone_cancelled_stays_cancelled(self) -> None:
        parent = broken()
        child = submit("sample.echo", depends_on=[parent]).job_id
        cancel(child, actor="a test")
        drain()
        retry(parent, actor="a test")
        assert state_of(child) == "cancelled"

    def test_what_waited_for_two_that_failed_waits_for_the_second_to_be_retried(self) -> None:
        first, second = broken(), broken()
        child = submit("sample.echo", depends_on=[first, second]).job_id
        drain()
        retry(first, actor="a test")
        assert state_of(child) == "failed"
        retry(second, actor="a test")
        assert state_of(child) == "blocked"

    def test_by_itself_it_names_what_to_retry_first(self) -> None:
        parent = broken()
        child = submit("sample.echo", depends_on=[parent]).job_id
        drain()
        with pytest.raises(InvalidTransition, match=f"{parent}.*failed: retry that one"):
            retry(child, actor="a test")
        assert state_of(child) == "failed"

    def test_by_itself_it_goes_on_once_the_other_has_completed(self) -> None:
        parent = broken()
        child = submit("sample.echo", depends_on=[parent]).job_id
        drain()
        Job.objects.filter(pk=parent).update(state="completed", failure_reason="")
        assert retry(child, actor="a test").state == "queued"


class TestBadInput:
    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ("one", "must be a list"),
            (["one"], "must be a UUID, not 'one'"),
            ([7], "must be a UUID, not '7'"),
            (7, "must be a list"),
            ([UUID(int=5)], f"{UUID(int=5)}, which is not there"),
        ],
    )
    def test_is_refused_by_name(self, given: Any, told: str) -> None:
        with pytest.raises(InvalidOption, match=told):
            submit("sample.echo", depends_on=given)
        assert not Job.objects.exists()

    def test_a_job_that_is_named_twice(self) -> None:
        parent = echo()
        with pytest.raises(InvalidOption, match="twice"):
            submit("sample.echo", depends_on=[parent, str(parent)])

    def test_a_policy_that_there_is_not(self) -> None:
        with pytest.raises(InvalidOption, match="fail, skip or continue, not 'ignore'"):
            After(uuid4(), "ignore")  # type: ignore[arg-type]

    def test_replacing_a_job_by_one_that_waits(self) -> None:
        parent = echo(idempotency_key="a")
        with pytest.raises(InvalidOption, match="replace"):
            echo(idempotency_key="a", on_duplicate="replace", depends_on=[parent])

    def test_another_tenants_job_is_not_there(self) -> None:
        create_tenant("a", actor="a test")
        create_tenant("b", actor="a test")
        theirs = echo(tenant="a")
        assert submit("sample.echo", tenant="a", depends_on=[theirs]).state == "blocked"
        with pytest.raises(InvalidOption, match="not there"):
            submit("sample.echo", tenant="b", depends_on=[theirs])


def test_of_many_only_the_one_that_names_an_unknown_job_is_refused() -> None:
    parent = echo()
    told = submit_many(
        [
            NewJob("sample.echo", {"value": 1}, {"depends_on": [parent]}),
            NewJob("sample.echo", {"value": 2}, {"depends_on": [uuid4()]}),
            NewJob("sample.echo", {"value": 3}, {"depends_on": [parent]}),
        ]
    )
    assert [each.state if each else None for each in told.submissions] == [
        "blocked",
        None,
        "blocked",
    ]
    assert "not there" in str(told.errors[1])
    drain()
    assert {state_of(each) for each in told.job_ids if each} == {"completed"}


def test_many_wait_for_one_and_one_for_many() -> None:
    first = echo()
    many = submit_many(NewJob("sample.echo", {}, {"depends_on": [first]}) for _ in range(300))
    last = submit("sample.echo", depends_on=[each for each in many.job_ids if each]).job_id
    assert drain() == 302
    assert state_of(last) == "completed"
    assert not Job.objects.exclude(state="completed").exists()


def test_the_timekeeper_settles_what_nobody_has_settled() -> None:
    parent, gone = echo(delay=timedelta(hours=1)), echo(delay=timedelta(hours=1))
    child = submit("sample.echo", depends_on=[parent]).job_id
    orphan = submit("sample.echo", depends_on=[gone]).job_id
    assert settle_missed() == 0
    # As if the process had died between the end of these and what follows from it.
    Job.objects.filter(pk=parent).update(state="completed", finished_at=datetime.now(UTC))
    Job.objects.filter(pk=gone).delete()
    assert settle_missed() == 2
    assert state_of(child) == "queued"
    assert get(orphan).error.endswith("which was removed")


def test_the_ledger_knows_who_waits_for_nothing() -> None:
    parent = echo(delay=timedelta(hours=1))
    child = submit("sample.echo", depends_on=[parent]).job_id
    later = datetime.now(UTC) + timedelta(hours=3)
    names = [each.why for each in ledger(now=later).misplaced]
    assert not any("ended" in name for name in names)
    Job.objects.filter(pk=parent).update(state="completed", finished_at=datetime.now(UTC))
    found = [each for each in ledger(now=later).misplaced if "ended" in each.why]
    assert [each.job_ids for each in found] == [(str(child),)]


def test_a_job_that_others_wait_for_outlives_its_retention() -> None:
    parent, other = echo(1), echo(2)
    waits = submit("sample.echo", depends_on=[parent], delay=timedelta(days=30)).job_id
    drain()
    later = datetime.now(UTC) + timedelta(days=2)
    purge(now=later)
    assert set(Job.objects.values_list("pk", flat=True)) == {parent, waits}
    assert other not in Job.objects.values_list("pk", flat=True)
    cancel(waits, actor="a test")
    purge(now=later + timedelta(days=2))
    assert not Job.objects.exists()


def test_the_timeline_tells_of_the_wait() -> None:
    parent = echo()
    child = submit("sample.echo", depends_on=[parent]).job_id
    lost = submit("sample.echo", depends_on=[broken()]).job_id
    drain()
    told = [(moment.before, moment.after) for moment in timeline(get(child))]
    assert told == [
        ("", "blocked"),
        ("blocked", "queued"),
        ("queued", "running"),
        ("running", "completed"),
    ]
    told = [(moment.before, moment.after) for moment in timeline(get(lost))]
    assert told == [("", "blocked"), ("blocked", "failed")]
    assert describe(get(lost))["failure_reason"] == "dependency_failed"
