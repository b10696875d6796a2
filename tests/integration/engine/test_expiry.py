"""A job that waits in vain fails as expired."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs import JobContext, job_type
from jobs.backends.memory import drain
from jobs.domain.registry import registry
from jobs.models import Job
from jobs.public import InvalidOption, get, retry, submit
from jobs.selectors import history
from jobs.services.expiry import expire_overdue
from tests.sample.jobs import Empty

pytestmark = pytest.mark.usefixtures("memory")
MINUTE = timedelta(minutes=1)


def later(minutes: float) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


def test_a_job_that_has_not_started_in_time_fails_as_expired() -> None:
    job_id = submit("sample.echo", expires_in=MINUTE).job_id
    assert expire_overdue(now=later(0.9)) == 0
    assert expire_overdue(now=later(1.1)) == 1
    job = get(job_id)
    assert (job.state, job.failure_reason, job.attempt) == ("failed", "expired", 0)
    assert "had not started by" in job.error
    assert [moment.after for moment in history.timeline(job)] == ["queued", "failed"]


def test_it_is_not_taken_once_its_time_is_over_though_nobody_has_looked() -> None:
    job_id = submit("sample.echo", expires_in=MINUTE).job_id
    Job.objects.filter(pk=job_id).update(expires_at=later(-1))
    assert drain() == 0


def test_the_time_of_a_delayed_job_counts_from_when_it_may_run() -> None:
    job = get(submit("sample.echo", delay=timedelta(hours=1), expires_in=MINUTE).job_id)
    assert job.expires_at == job.run_at + MINUTE
    assert expire_overdue(now=later(59)) == 0
    assert expire_overdue(now=later(62)) == 1


def test_a_job_that_has_run_once_does_not_expire() -> None:
    job_id = submit("sample.trouble", {"kind": "error"}, expires_in=MINUTE).job_id
    drain()
    assert expire_overdue(now=later(2)) == 0
    assert get(job_id).state == "retrying"


def test_an_expired_job_that_is_retried_waits_for_as_long_as_it_takes() -> None:
    job_id = submit("sample.echo", expires_in=MINUTE).job_id
    expire_overdue(now=later(2))
    retry(job_id)
    assert expire_overdue(now=later(100)) == 0
    drain()
    assert get(job_id).state == "completed"


def test_a_type_may_say_it_and_a_submission_wins() -> None:
    @job_type("expiry.one", expires_in=MINUTE)
    def handle(params: Empty, ctx: JobContext) -> None:
        """Do nothing."""

    try:
        own, given = submit("expiry.one"), submit("expiry.one", expires_in=2 * MINUTE)
    finally:
        registry._types.pop("expiry.one")
    assert [(get(each.job_id).expires_at or later(0)) - get(each.job_id).run_at
            for each in (own, given)] == [MINUTE, 2 * MINUTE]  # fmt: skip


@pytest.mark.parametrize("wrong", [timedelta(0), timedelta(days=-1), 60, "1h"])
def test_a_wrong_time_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidOption, match="expires_in"):
        submit("sample.echo", expires_in=wrong)
