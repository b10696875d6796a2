"""The job type on the real engine: executor, retry policy and retry by hand."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from jobs import public
from jobs.backends.memory import drain
from jobs.models import Job, LogLine
from notifications.models import Delivery
from tests.servers.mail import MailServer


@pytest.fixture(autouse=True)
def _memory(settings: Settings, db: None) -> None:
    settings.JOBS = {**settings.JOBS, "BACKEND": "memory"}


def submit(**params: Any) -> Job:
    filled = {"template": "message", "data": {"title": "Hi", "body": "text"}, **params}
    return public.get(public.submit("notifications.send", filled).job_id)


def test_an_email_is_sent_by_a_job(mail_server: MailServer) -> None:
    job = submit(to="ann@example.com")
    drain()
    job.refresh_from_db()
    assert (job.state, job.result) == ("completed", {"delivered": 1, "failed": 0, "skipped": 0})
    assert mail_server.recipients() == ["ann@example.com"]


def test_the_retry_reaches_only_who_was_missed(mail_server: MailServer) -> None:
    job = submit(to=["ann@example.com", "busy@example.com"])
    drain()
    job.refresh_from_db()
    assert (job.state, job.attempt) == ("retrying", 1)
    assert "451" in LogLine.objects.get(job=job).message

    mail_server.recovered.add("busy@example.com")
    drain(now=timezone.now() + timedelta(minutes=5))
    job.refresh_from_db()
    assert (job.state, job.result) == ("completed", {"delivered": 1, "failed": 0, "skipped": 1})
    assert mail_server.recipients() == ["ann@example.com", "busy@example.com"]


def test_a_permanent_refusal_ends_it_and_a_retry_by_hand_tries_again(
    mail_server: MailServer,
) -> None:
    job = submit(to=["ann@example.com", "nobody@example.com"])
    drain()
    job.refresh_from_db()
    assert (job.state, job.failure_reason, job.attempt) == ("failed", "permanent_error", 1)
    assert "1 of 2 recipients refused for good" in job.error

    mail_server.recovered.add("nobody@example.com")
    public.retry(job.pk)
    drain()
    job.refresh_from_db()
    assert (job.state, job.result) == ("completed", {"delivered": 1, "failed": 0, "skipped": 1})
    assert mail_server.recipients() == ["ann@example.com", "nobody@example.com"]


def test_an_unknown_template_is_dead_after_one_attempt() -> None:
    job = submit(to="ann@example.com", template="nope")
    drain()
    job.refresh_from_db()
    assert (job.state, job.failure_reason, job.attempt) == ("failed", "permanent_error", 1)
    assert "use one of: digest" in job.error


def test_spent_attempts_leave_failed_deliveries(mail_server: MailServer) -> None:
    filled = {"template": "message", "to": "busy@example.com"}
    job = public.get(public.submit("notifications.send", filled, max_attempts=1).job_id)
    drain()
    job.refresh_from_db()
    assert (job.state, job.failure_reason) == ("failed", "retries_exhausted")
    assert Delivery.objects.get(job=job).state == Delivery.State.FAILED


def test_a_wrong_address_is_refused_at_submission() -> None:
    with pytest.raises(public.InvalidParameters, match=r"to: .*'ann' is not an email address"):
        submit(to="ann")
    assert not Job.objects.exists()
