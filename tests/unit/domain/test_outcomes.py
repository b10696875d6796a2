from collections.abc import Callable
from datetime import timedelta

import pytest

from jobs import Backoff, Cancel, PermanentError, Retry, Snooze
from jobs.domain.errors import JobCancelled, JobTimeout, UnstorableResult
from jobs.domain.outcomes import Cancelled, Failed, Retrying, RetryPolicy, Snoozed

POLICY = RetryPolicy(3, Backoff.fixed(timedelta(seconds=7), jitter="none"), (LookupError,))


def test_an_ordinary_error_is_retried_after_the_backoff() -> None:
    error = RuntimeError("no")
    assert POLICY.decide(error, attempt=1) == Retrying(timedelta(seconds=7), error)


def test_the_last_attempt_exhausts_the_retries() -> None:
    decided = POLICY.decide(RuntimeError("no"), attempt=3)
    assert isinstance(decided, Failed)
    assert decided.reason == "retries_exhausted"


@pytest.mark.parametrize("error", [PermanentError("x"), KeyError("x"), UnstorableResult("x")])
def test_a_permanent_error_fails_at_once(error: Exception) -> None:
    decided = POLICY.decide(error, attempt=1)
    assert isinstance(decided, Failed)
    assert decided.reason == "permanent_error"


def test_retry_after_wins_over_the_backoff() -> None:
    decided = POLICY.decide(Retry(after=timedelta(seconds=1)), attempt=1)
    assert isinstance(decided, Retrying)
    assert decided.delay == timedelta(seconds=1)


def test_a_snooze_is_no_failure_even_on_the_last_attempt() -> None:
    assert POLICY.decide(Snooze(timedelta(hours=1), "later"), attempt=3) == Snoozed(
        timedelta(hours=1), "later"
    )


@pytest.mark.parametrize("error", [Cancel("pointless"), JobCancelled("pointless")])
def test_a_cancel_ends_the_job(error: Exception) -> None:
    assert POLICY.decide(error, attempt=1) == Cancelled("pointless")


def test_a_timeout_is_retried_and_then_fails_as_one() -> None:
    assert isinstance(POLICY.decide(JobTimeout("slow"), attempt=2), Retrying)
    decided = POLICY.decide(JobTimeout("slow"), attempt=3)
    assert isinstance(decided, Failed)
    assert decided.reason == "timeout"


def test_a_timeout_that_must_not_be_retried_keeps_its_reason() -> None:
    decided = RetryPolicy(3, POLICY.backoff, (JobTimeout,)).decide(JobTimeout("slow"), attempt=1)
    assert isinstance(decided, Failed)
    assert decided.reason == "timeout"


@pytest.mark.parametrize("wait", [timedelta(seconds=-1), timedelta(days=10**8)])
@pytest.mark.parametrize("make", [lambda w: Retry(after=w), lambda w: Snooze(w)])
def test_no_wait_into_the_past_or_beyond_all_dates(
    make: Callable[[timedelta], object], wait: timedelta
) -> None:
    with pytest.raises(ValueError, match="must be from 0 to 3660 days"):
        make(wait)
