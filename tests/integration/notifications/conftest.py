import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from jobs import JobContext
from jobs.domain.context import _NoRecorder
from jobs.models import Job
from jobs.public import Submission, SubmissionError
from notifications.channels.base import Content, Message
from notifications.jobs import send
from notifications.parameters import SendParams
from tests.servers.http import HttpServer
from tests.servers.mail import MailServer
from tests.servers.slack import SlackServer

WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes, ok").decode()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    with MailServer() as server:
        settings.EMAIL_URL = server.url
        settings.DEFAULT_FROM_EMAIL = "Jobsite <jobs@example.org>"
        yield server


@pytest.fixture
def http_server(settings: Settings) -> Iterator[HttpServer]:
    with HttpServer() as server:
        settings.WEBHOOK_SECRET = WEBHOOK_SECRET
        yield server


@pytest.fixture
def slack_server(settings: Settings) -> Iterator[SlackServer]:
    with SlackServer() as server:
        settings.SLACK_TOKEN = server.token
        settings.SLACK_API_URL = server.url("/api/")
        yield server


def message_to(recipient: str, **content: Any) -> Message:
    """Return a message with a new id."""
    filled = {"subject": "Hello", "text": "some text", **content}
    return Message(id=uuid4(), recipient=recipient, content=Content(**filled))


@dataclass
class LogLines(_NoRecorder):
    """Keeps what a handler logs for the job's page, and the jobs that it submits."""

    lines: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    submitted: list[tuple[str, Any]] = field(default_factory=list)
    #: Raised by the next submission.
    refused: SubmissionError | None = None

    def log(self, context: JobContext, level: int, message: str, fields: dict[str, Any]) -> None:
        self.lines.append((level, message, fields))

    def submit(
        self, context: JobContext, job_type: str, params: Any, options: dict[str, Any]
    ) -> Submission:
        if self.refused is not None:
            raise self.refused
        self.submitted.append((job_type, params))
        return super().submit(context, job_type, params, options)


@dataclass
class SendJob:
    """One job of the type, whose attempts a test runs one after the other."""

    job: Job
    log: LogLines = field(default_factory=LogLines)

    def run(
        self, *, attempt: int = 1, seconds_left: float | None = None, **params: Any
    ) -> dict[str, Any]:
        """Run one attempt of at most four."""
        left = None if seconds_left is None else timedelta(seconds=seconds_left)
        ctx = JobContext(
            "notifications.send",
            job_id=self.job.pk,
            attempt=attempt,
            max_attempts=4,
            deadline=None if left is None else timezone.now() + left,
            recorder=self.log,
        )
        filled = {"template": "message", "data": {"title": "Hi", "body": "text"}, **params}
        result: dict[str, Any] = send(SendParams.model_validate(filled), ctx)
        return result


@pytest.fixture
def new_job(db: None) -> Callable[[], SendJob]:
    def make() -> SendJob:
        now = timezone.now()
        return SendJob(
            Job.objects.create(
                job_type="notifications.send",
                queue="normal",
                state="running",
                attempt=1,
                max_attempts=4,
                timeout=timedelta(minutes=10),
                created_at=now,
                run_at=now,
            )
        )

    return make


@pytest.fixture
def job(new_job: Callable[[], SendJob]) -> SendJob:
    return new_job()
