"""Digests, notifications and health reports by a real worker, with the outside world played."""

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from standardwebhooks import Webhook

from jobs import Backoff
from jobs.contrib.digests.models import Digest, DigestSubscription
from jobs.models import Job, Worker
from jobs.public import describe, submit
from jobs.public import list as listed
from jobs.selectors import history
from maintenance.models import HealthReport
from notifications.models import Delivery
from tests.acceptance.conftest import Final
from tests.servers.github import GitHubServer, github_server
from tests.servers.github_recording import COUNTS, recording
from tests.servers.http import Answer, HttpServer, Request
from tests.servers.mail import MailServer
from tests.servers.slack import SlackServer
from tests.stack import Process, Stack, eventually
from tests.stack.run import celery

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes, ok").decode()
SITE = "https://jobs.example.org"
POST = "/api/chat.postMessage"
PERIOD = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-08T00:00:00Z"}
SOON = Backoff.fixed(timedelta(milliseconds=50), jitter="none")
pytestmark = pytest.mark.usefixtures("products_worker", "beat", "quiet")


@dataclass
class Outside:
    """The servers that the worker's environment names."""

    mail: MailServer
    slack: SlackServer
    hooks: HttpServer
    github: GitHubServer

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SITE_URL": SITE,
            "EMAIL_URL": self.mail.url,
            "DEFAULT_FROM_EMAIL": "Jobsite <jobs@example.org>",
            "SLACK_TOKEN": self.slack.token,
            "SLACK_API_URL": self.slack.url("/api/"),
            "WEBHOOK_SECRET": SECRET,
            "GITHUB_API_URL": self.github.url,
            "GITHUB_TOKEN": "canary-token",
            "no_proxy": "127.0.0.1",
            "NO_PROXY": "127.0.0.1",
        }

    @property
    def posts(self) -> list[Any]:
        """What was posted in Slack, refused or not; the health check's questions are left out."""
        return [each.json for each in self.slack.requests if each.path == POST]


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    with ExitStack() as servers:
        made = Outside(
            mail=servers.enter_context(MailServer()),
            slack=servers.enter_context(SlackServer()),
            hooks=servers.enter_context(HttpServer()),
            github=servers.enter_context(github_server()),
        )
        made.github.answers = recording()
        made.hooks.answers = {"/ok": Answer(204), "/gone": Answer(410)}
        yield made


@pytest.fixture(scope="module")
def products_worker(stack: Stack, outside: Outside) -> Iterator[Process]:
    """One worker for the whole module, with the environment of the outside world."""
    command = celery("worker", "--concurrency", "2", "-n", "products@%h")
    process = stack.process(command, name="products", env=outside.environment)
    process.wait_for("ready.", 60)
    yield process
    process.terminate()


@pytest.fixture
def quiet(outside: Outside) -> None:
    """Nothing has arrived yet."""
    outside.mail.messages.clear()
    outside.mail.recovered.clear()
    outside.slack.requests.clear()
    outside.hooks.requests.clear()


@pytest.fixture
def ended(final: Final) -> Final:
    """Wait for a job's end for as long as a loaded machine may take."""
    return lambda job_id: final(job_id, 60)


def send(*, channel: str = "email", to: str | list[str], **values: Any) -> Any:
    """Submit a notification that is retried soon, and return the job's id."""
    params = {"template": "message", "data": {"title": "Hi", "body": "It is done."}, **values}
    return submit(
        "notifications.send", {"channel": channel, "to": to, **params}, backoff=SOON
    ).job_id


def subscribe(channel: str, recipient: str) -> DigestSubscription:
    return DigestSubscription.objects.create(
        repository="octo/engine", channel=channel, recipient=recipient
    )


def delivery(job: Job) -> tuple[str, int, str]:
    """Return state, attempts and answer of the job's only delivery."""
    row = Delivery.objects.get(job=job)
    return row.state, row.attempts, row.answer


def outcomes(job: Job) -> list[str]:
    return [each.outcome for each in history.attempts(job)]


def verified(request: Request) -> Any:
    """Return the body, once the official library has verified it."""
    return Webhook(SECRET).verify(request.body, request.headers)


def plain_text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text


def test_the_health_check_stores_its_report(outside: Outside, ended: Final) -> None:
    eventually(Worker.objects.exists, 60)
    job = ended(submit("maintenance.health").job_id)
    assert (job.state, job.error) == ("completed", "")
    assert job.result is not None
    report = HealthReport.objects.get(pk=job.result["report"])
    assert job.result["healthy"] is report.healthy
    found = {check["name"]: check["status"] for check in report.checks}
    told = ("broker", "database", "github", "slack", "smtp", "workers")
    assert {name: found[name] for name in told} == dict.fromkeys(told, "healthy")


def test_a_github_digest_reaches_each_subscriber_once(outside: Outside, ended: Final) -> None:
    hook = outside.hooks.url("/ok")
    recipients = {"email": "team@example.com", "slack": "#engine", "webhook": hook}
    for channel, recipient in recipients.items():
        subscribe(channel, recipient)
    job = ended(submit("digests.generate", {"repository": "octo/engine", **PERIOD}).job_id)
    assert (job.state, job.error) == ("completed", "")
    digest = Digest.objects.get()
    assert job.digest == digest
    assert job.result == {"digest_id": digest.pk, "counts": COUNTS, "notified": 3}
    assert (digest.repository, digest.source, digest.data["counts"]) == (
        "octo/engine", "github", COUNTS,
    )  # fmt: skip

    children = [ended(each.pk) for each in listed(parent_id=job.pk)]
    assert {each.job_type for each in children} == {"notifications.send"}
    sent = {each.params["channel"]: (each.state, each.attempt, each.result) for each in children}
    once = ("completed", 1, {"delivered": 1, "failed": 0, "skipped": 0})
    assert sent == dict.fromkeys(recipients, once)
    rows = {row.channel: row for row in Delivery.objects.all()}
    assert {channel: row.recipient for channel, row in rows.items()} == recipients
    for row in rows.values():
        assert (row.state, row.attempts, row.template) == ("delivered", 1, "digest")
        assert row.delivered_at is not None
        assert row.job in children
    assert {channel: row.answer for channel, row in rows.items()} == {
        "email": "250", "slack": "1700000000.000100", "webhook": "204",
    }  # fmt: skip

    url = f"{SITE}{digest.get_absolute_url()}"
    (message,) = outside.mail.messages
    assert (message["To"], message["Subject"]) == ("team@example.com", digest.title)
    assert message["Message-ID"] == f"<{rows['email'].pk}@example.org>"
    assert "Breaking: New engine" in plain_text(message)
    assert f"Read it in full: {url}" in plain_text(message)
    (post,) = outside.posts
    assert post["channel"] == "#engine"
    assert post["text"].startswith(f"*<{url}|{digest.title}>*")
    assert "• Breaking: New engine (#21)" in post["text"]
    assert "merged pulls *4*" in post["text"]
    assert post["metadata"]["event_payload"] == {"delivery_id": str(rows["slack"].pk)}
    (request,) = outside.hooks.requests
    body = verified(request)
    assert request.headers["webhook-id"] == str(rows["webhook"].pk)
    assert (body["type"], body["data"]["counts"]) == ("digest", COUNTS)
    assert body["data"]["markdown"] == digest.markdown
    assert body["data"]["url"] == url


def test_a_webhook_that_recovers_is_told_once(outside: Outside, ended: Final) -> None:
    outside.hooks.first["/ok"] = [Answer(503)]
    job = ended(send(channel="webhook", to=outside.hooks.url("/ok")))
    assert (job.state, job.attempt, outcomes(job)) == ("completed", 2, ["error", "completed"])
    assert job.result == {"delivered": 1, "failed": 0, "skipped": 0}
    assert delivery(job) == ("delivered", 2, "204")
    assert "503" in history.attempts(job)[0].error
    first, second = outside.hooks.requests
    assert verified(first) == verified(second)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_a_rate_limit_of_slack_is_waited_for(outside: Outside, ended: Final) -> None:
    outside.slack.first[POST] = [SlackServer.limited(seconds=1)]
    job = ended(send(channel="slack", to="#engine"))
    assert (job.state, job.attempt) == ("completed", 2)
    assert delivery(job) == ("delivered", 2, "1700000000.000100")
    assert [each["channel"] for each in outside.posts] == ["#engine"] * 2
    limited, delivered = history.attempts(job)
    assert limited.finished_at is not None
    # The job's own back-off would have asked for 50 ms.
    assert delivered.started_at - limited.finished_at >= timedelta(seconds=1)


def test_a_webhook_that_is_gone_is_a_readable_dead_letter(outside: Outside, ended: Final) -> None:
    job = ended(send(channel="webhook", to=outside.hooks.url("/gone")))
    (dead,) = listed(state="dead")
    assert dead == job
    told = describe(job)
    assert (told["state"], told["failure_reason"]) == ("failed", "permanent_error")
    assert (told["attempt"], told["error_type"]) == (1, "PermanentError")
    assert "1 of 1 recipients refused for good (permanent)" in told["error"]
    assert "the receiver answered 410 (gone)" in told["error"]
    row = Delivery.objects.get(job=job)
    assert (*delivery(job), row.permanent) == ("failed", 1, "410", True)
    assert len(outside.hooks.requests) == 1


def test_a_subscriber_who_is_gone_is_not_told_again(outside: Outside, ended: Final) -> None:
    subscription = subscribe("webhook", outside.hooks.url("/gone"))

    def notified() -> int:
        job = ended(submit("digests.generate", {"repository": "octo/engine", **PERIOD}).job_id)
        for child in listed(parent_id=job.pk):
            ended(child.pk)
        assert job.result is not None
        count: int = job.result["notified"]
        return count

    assert notified() == 1
    (unsubscribing,) = listed(job_type="digests.unsubscribe")
    assert ended(unsubscribing.pk).result == {"disabled": [subscription.pk]}
    subscription.refresh_from_db()
    assert not subscription.enabled
    assert "410 (gone)" in subscription.disabled_reason
    assert notified() == 0
    assert len(outside.hooks.requests) == 1


def test_an_unknown_template_is_dead_after_one_attempt(outside: Outside, ended: Final) -> None:
    job = ended(send(to="ann@example.com", template="nope"))
    assert (job.state, job.failure_reason, job.attempt) == ("failed", "permanent_error", 1)
    assert "template 'nope' is unknown; use one of: digest" in job.error
    assert not Delivery.objects.exists()
    assert outside.mail.messages == []


def test_a_missing_subject_is_the_template_s_own(outside: Outside, ended: Final) -> None:
    data = {"name": "Ann", "verificationUrl": "https://example.org/verify?t=1"}
    job = ended(send(to="ann@example.com", template="welcome", data=data))
    (message,) = outside.mail.messages
    assert (job.state, message["Subject"]) == ("completed", "Welcome, Ann")
    assert "https://example.org/verify?t=1" in plain_text(message)
    assert Delivery.objects.get(job=job).subject == "Welcome, Ann"


def test_a_mailbox_that_is_refused_fails_once_the_others_are_served(
    outside: Outside, ended: Final
) -> None:
    job = ended(send(to=["nobody@example.com", "ann@example.com"]))
    assert (job.state, job.failure_reason, job.attempt) == ("failed", "permanent_error", 1)
    assert "550 5.1.1 no such user" in job.error
    rows = {row.recipient: row for row in Delivery.objects.filter(job=job)}
    refused = rows["nobody@example.com"]
    assert (refused.state, refused.permanent, refused.answer) == ("failed", True, "550")
    assert rows["ann@example.com"].state == "delivered"
    assert outside.mail.recipients() == ["ann@example.com"]


def test_a_mailbox_that_is_busy_is_served_later(outside: Outside, ended: Final) -> None:
    job_id = send(to=["busy@example.com", "ann@example.com"])
    busy = Delivery.objects.filter(job_id=job_id, recipient="busy@example.com")
    eventually(lambda: busy.filter(state="retrying").exists(), 60)
    outside.mail.recovered.add("busy@example.com")
    job = ended(job_id)
    assert (job.state, job.result) == ("completed", {"delivered": 1, "failed": 0, "skipped": 1})
    assert outside.mail.recipients() == ["ann@example.com", "busy@example.com"]
    assert busy.get().attempts == job.attempt > 1
