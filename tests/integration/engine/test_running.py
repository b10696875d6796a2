from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from jobs import Backoff
from jobs.backends.memory import drain
from jobs.conf import jobs_settings
from jobs.domain.outcomes import Outcome, Snoozed
from jobs.models import Job
from jobs.public import cancel, get, purge, retry, stats, submit
from jobs.runtime.execution import Execution, Next
from jobs.selectors import history
from jobs.selectors.describe import describe, describe_whole

pytestmark = pytest.mark.usefixtures("memory")


def later(hours: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


def ended(kind: str, **options: Any) -> Job:
    """Return the job once it is final, its waits skipped."""
    submission = submit("sample.trouble", {"kind": kind}, **options)
    for hours in range(40):
        drain(now=later(hours))
        if get(submission.job_id).is_final:
            break
    return get(submission.job_id)


def test_what_a_handler_returns_is_the_result() -> None:
    job_id = submit("sample.echo", {"value": {"rows": [1, 2]}}).job_id
    drain()
    job = get(job_id)
    assert (job.state, job.result, job.progress, job.attempt) == (
        "completed", {"rows": [1, 2]}, 100, 1,
    )  # fmt: skip
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.created_at <= job.started_at <= job.finished_at


def test_urgent_jobs_run_first_then_the_older() -> None:
    submitted = [
        submit("sample.echo", {"value": n}, priority=priority).job_id
        for n, priority in enumerate(["low", "normal", "high", "critical", "low", "critical"])
    ]
    drain()
    started = sorted(Job.objects.all(), key=lambda job: (job.started_at, job.run))
    assert [submitted.index(job.pk) for job in started] == [3, 5, 2, 1, 0, 4]


@pytest.mark.parametrize(
    ("kind", "reason", "attempts"),
    [
        ("error", "retries_exhausted", 3),
        ("permanent", "permanent_error", 1),
        ("listed", "permanent_error", 1),
        ("retry", "retries_exhausted", 3),
        ("exit", "retries_exhausted", 3),
        ("unstorable", "permanent_error", 1),
        ("nan", "permanent_error", 1),
        ("large", "permanent_error", 1),
        ("nul", "permanent_error", 1),
    ],
)
def test_every_bad_end_is_a_failed_job_with_its_reason(
    kind: str, reason: str, attempts: int
) -> None:
    job = ended(kind)
    assert (job.state, job.failure_reason, job.attempt) == ("failed", reason, attempts)
    assert job.error
    assert job.error_type
    assert [each.number for each in history.attempts(job)] == list(range(1, attempts + 1))


def test_each_failed_attempt_keeps_its_traceback() -> None:
    first, *_ = history.attempts(ended("error"))
    assert first.error == "it broke"
    assert "RuntimeError: it broke" in first.traceback
    assert "sample/jobs.py" in first.traceback
    assert "jobs/runtime" not in first.traceback


def test_a_result_that_tells_of_failure_is_recorded_not_retried() -> None:
    job = ended("false")
    assert (job.state, job.attempt) == ("completed", 1)
    assert job.result == {"success": False, "error": "said no"}


def test_a_handler_may_cancel_its_job() -> None:
    job = ended("cancel")
    assert (job.state, job.error) == ("cancelled", "pointless by now")


def test_a_job_recovers_on_a_later_attempt(tmp_path: Path) -> None:
    params = {"kind": "error", "path": str(tmp_path / "runs"), "fail_times": 2}
    job_id = submit("sample.trouble", params).job_id
    for hours in range(3):
        drain(now=later(hours))
    job = get(job_id)
    assert (job.state, job.result, job.attempt) == ("completed", "recovered", 3)
    assert [each.outcome for each in history.attempts(job)] == ["error", "error", "completed"]


def test_a_snooze_spends_no_attempt(tmp_path: Path) -> None:
    params = {"kind": "snooze", "path": str(tmp_path / "runs"), "fail_times": 5}
    job_id = submit("sample.trouble", params, max_attempts=1).job_id
    for hours in range(7):
        drain(now=later(hours))
    job = get(job_id)
    assert (job.state, job.attempt, job.run) == ("completed", 1, 6)


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [
        (Backoff.exponential(timedelta(seconds=1), jitter="none"), [1, 2, 4, 8]),
        (Backoff.linear(timedelta(seconds=1), jitter="none"), [1, 2, 3, 4]),
        (Backoff.fixed(timedelta(seconds=5), jitter="none"), [5, 5, 5, 5]),
    ],
)
def test_the_waits_follow_the_jobs_own_backoff(backoff: Backoff, waits: list[int]) -> None:
    job = ended("error", backoff=backoff, max_attempts=5)
    told = [
        (each.retry_at - each.finished_at).total_seconds()
        for each in history.attempts(job)
        if each.retry_at and each.finished_at
    ]
    assert told == waits


def test_by_default_a_job_fails_after_three_retries() -> None:
    job_id = submit("sample.default").job_id
    for hours in range(6):
        drain(now=later(hours))
    job = get(job_id)
    assert (job.state, job.failure_reason, job.attempt) == ("failed", "retries_exhausted", 4)
    assert len(history.attempts(job)) == 4


def test_a_types_own_backoff_wins_over_the_sites(configure: Any) -> None:
    configure(backoff_kind="fixed", backoff_base_seconds=77, backoff_jitter="none")

    def wait(job_type: str, params: dict[str, Any]) -> float:
        job_id = submit(job_type, params).job_id
        drain()
        (attempt,) = history.attempts(get(job_id))
        assert attempt.retry_at is not None
        assert attempt.finished_at is not None
        return (attempt.retry_at - attempt.finished_at).total_seconds()

    assert wait("sample.default", {}) == 77
    assert wait("sample.trouble", {"kind": "error"}) == 0.05


def test_a_job_tells_everything_of_itself_as_json() -> None:
    event = uuid4()
    told = describe(get(submit("sample.echo", {"value": 1}, event_id=event).job_id))
    promised = {
        "id", "type", "tenant", "tags", "state", "progress", "params", "error", "started_at",
        "finished_at",
        "created_at", "created_by_id", "digest_id", "attempt", "max_attempts", "next_retry_at",
        "event_id", "backoff", "result", "retryable", "timeout_seconds", "priority",
        "priority_source", "failure_reason", "run_at", "trigger",
    }  # fmt: skip
    assert promised <= set(told)
    assert (told["event_id"], told["attempt"], told["progress"]) == (str(event), 0, 0)


def test_the_counts_are_those_of_the_table() -> None:
    for _ in range(3):
        submit("sample.echo")
    submit("sample.trouble", {"kind": "permanent"}, priority="high")
    drain()
    submit("sample.echo", priority="high")
    submit("sample.echo", delay=timedelta(hours=1))
    told = stats()
    counted = {"total": 6, "pending": 2, "completed": 3, "failed": 1, "waiting": 1, "delayed": 1}
    assert {name: told[name] for name in counted} == counted
    assert told["by_type"]["sample.trouble"] == {"failed": 1}
    assert told["by_queue"] == {
        "high": {"waiting": 1, "active": 0, "completed": 0, "failed": 1, "delayed": 0},
        "normal": {"waiting": 0, "active": 0, "completed": 3, "failed": 0, "delayed": 1},
    }


def test_dead_letters_stay_until_their_retention_is_over() -> None:
    job_id = submit("sample.trouble", {"kind": "permanent"}).job_id
    drain()
    assert purge(now=later(29 * 24))["failed"] == 0
    assert get(job_id).state == "failed"
    assert purge(now=later(31 * 24), dry_run=True)["failed"] == 1
    assert purge(now=later(31 * 24))["failed"] == 1
    assert not Job.objects.filter(pk=job_id).exists()


def test_the_site_wide_backoff_is_two_seconds_doubling() -> None:
    backoff = jobs_settings().backoff
    assert [backoff.ceiling(n).total_seconds() for n in (1, 2, 3, 9)] == [2, 4, 8, 300]


def test_next_retry_is_shown_while_a_job_waits_for_it() -> None:
    job_id = submit("sample.trouble", {"kind": "retry"}).job_id
    drain()
    job = get(job_id)
    assert job.state == "retrying"
    assert describe(job)["next_retry_at"] == job.run_at.isoformat()
    assert (job.error_type, job.error) == ("Retry", "the other side is busy")


def test_retry_after_is_obeyed() -> None:
    job_id = submit("sample.trouble", {"kind": "retry"}).job_id
    drain()
    (attempt,) = history.attempts(get(job_id))
    assert attempt.retry_at is not None
    assert attempt.finished_at is not None
    assert attempt.retry_at - attempt.finished_at == timedelta(milliseconds=200)


def test_progress_never_goes_back_and_log_lines_stay(configure: Any) -> None:
    configure(progress_interval_seconds=0)
    job_id = submit("sample.chatty").job_id
    drain()
    told = describe_whole(get(job_id))
    assert told["progress"] == 100
    assert [(line["message"], line["answer"]) for line in told["log"]] == [("hello", 42)]


def test_the_log_of_a_job_is_bounded(configure: Any) -> None:
    configure(max_log_lines=0)
    job_id = submit("sample.chatty").job_id
    drain()
    assert [line["message"] for line in describe_whole(get(job_id))["log"]] == [
        "more than 0 lines: the rest are dropped"
    ]


def test_a_type_that_is_gone_fails_readably_and_can_be_retried() -> None:
    job_id = submit("sample.echo", {"value": 1}).job_id
    Job.objects.filter(pk=job_id).update(job_type="sample.gone")
    drain()
    job = get(job_id)
    assert (job.state, job.failure_reason, job.error_type) == (
        "failed", "permanent_error", "UnknownJobType",
    )  # fmt: skip
    Job.objects.filter(pk=job_id).update(job_type="sample.echo")
    retry(job_id)
    drain()
    assert get(job_id).state == "completed"


def test_parameters_that_no_longer_fit_fail_readably() -> None:
    job_id = submit("sample.nested", {"period": {"start": 1}}).job_id
    Job.objects.filter(pk=job_id).update(params={"period": {"from": 1}})
    drain()
    job = get(job_id)
    assert (job.state, job.error_type) == ("failed", "InvalidParameters")
    assert "period.start" in job.error


class Outer:
    seen: ClassVar[list[str]] = []

    def __init__(self, get_outcome: Next) -> None:
        self.get_outcome = get_outcome

    def __call__(self, execution: Execution) -> Outcome:
        self.seen.append(f"{type(self).__name__} in")
        outcome = self.get_outcome(execution)
        self.seen.append(f"{type(self).__name__} out")
        return outcome


class Inner(Outer):
    pass


class Closed(Outer):
    def __call__(self, execution: Execution) -> Outcome:
        return Snoozed(timedelta(hours=1), "the office is closed")


class Careless(Outer):
    def __call__(self, execution: Execution) -> Outcome:
        raise RuntimeError("a middleware broke")


def test_middleware_wraps_in_its_order(configure: Any) -> None:
    configure(middleware=[f"{__name__}.Outer", f"{__name__}.Inner"])
    Outer.seen.clear()
    submit("sample.echo")
    drain()
    assert Outer.seen == ["Outer in", "Inner in", "Inner out", "Outer out"]


def test_middleware_may_cut_the_chain_short(configure: Any) -> None:
    configure(middleware=[f"{__name__}.Closed", f"{__name__}.Inner"])
    Outer.seen.clear()
    job_id = submit("sample.echo").job_id
    drain()
    job = get(job_id)
    assert Outer.seen == []
    assert (job.state, job.attempt, job.result) == ("retrying", 0, None)


def test_a_middleware_that_breaks_loses_no_job(configure: Any) -> None:
    configure(middleware=[f"{__name__}.Careless"])
    job_id = submit("sample.echo").job_id
    drain()
    job = get(job_id)
    assert (job.state, job.error) == ("retrying", "a middleware broke")


@pytest.mark.django_db(transaction=True)
def test_every_transition_is_an_event_and_a_line_of_the_timeline(
    events: list[Any], configure: Any
) -> None:
    configure(progress_interval_seconds=0)
    job_id = submit("sample.trouble", {"kind": "error"}, max_attempts=2).job_id
    drain()
    drain(now=later(1))
    retry(job_id, actor="ada")
    told = [(each.name, each.before, each.state) for each in events if each.job_id == job_id]
    assert told == [
        ("job.created", "", "queued"),
        ("job.started", "queued", "running"),
        ("job.retrying", "running", "retrying"),
        ("job.queued", "retrying", "queued"),
        ("job.started", "queued", "running"),
        ("job.failed", "running", "failed"),
        ("job.retrying", "failed", "queued"),
    ]
    line = [(m.before, m.after, m.actor) for m in history.timeline(get(job_id))]
    assert line == [
        ("", "queued", "code"),
        ("queued", "running", ""),
        ("running", "retrying", ""),
        ("retrying", "queued", "timekeeper"),
        ("queued", "running", ""),
        ("running", "failed", ""),
        ("failed", "queued", "ada"),
    ]


def test_the_timeline_of_a_delayed_job_stays_true_once_it_has_run() -> None:
    due = submit("sample.trouble", {"kind": "error"}, delay=timedelta(minutes=1), max_attempts=1)
    stopped = submit("sample.echo", delay=timedelta(hours=1)).job_id
    cancel(stopped, actor="ada")
    told = [("", "scheduled", "code")]
    assert [(m.before, m.after, m.actor) for m in history.timeline(get(due.job_id))] == told
    ago = datetime.now(UTC) - timedelta(minutes=1)
    Job.objects.filter(pk=due.job_id).update(
        created_at=ago - timedelta(minutes=1), scheduled_for=ago, run_at=ago
    )
    drain()
    assert [(m.before, m.after, m.actor) for m in history.timeline(get(due.job_id))] == [
        *told,
        ("scheduled", "queued", "timekeeper"),
        ("queued", "running", ""),
        ("running", "failed", ""),
    ]
    assert [(m.before, m.after, m.actor) for m in history.timeline(get(stopped))] == [
        *told,
        ("scheduled", "cancelled", "ada"),
    ]


def test_the_immediate_back_end_runs_inline(configure: Any) -> None:
    configure(backend="immediate")
    job = get(submit("sample.parent").job_id)
    assert job.state == "completed"
    assert get(str(job.result)).state == "completed"
