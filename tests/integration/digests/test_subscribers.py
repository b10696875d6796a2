"""Whom a digest is told to: through the engine and the notifications' own job type."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from jobs import public
from jobs.backends.memory import drain
from jobs.conf import jobs_settings
from jobs.contrib.digests.models import DigestSubscription
from jobs.contrib.digests.storage import store_digest
from jobs.contrib.digests.subscribers import MOST_BYTES
from jobs.domain.priority import queue_name
from jobs.domain.registry import registry
from jobs.models import Job, LogLine
from tests.integration.digests.git_repository import GitRepository
from tests.servers.http import Answer, HttpServer
from tests.unit.digests.activities import change, summary

pytestmark = pytest.mark.django_db

PERIOD = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-08T00:00:00Z"}
GONE = "the receiver answered 410 (gone): it wants no more webhooks at this address"


@pytest.fixture
def receiver(settings: Settings) -> Iterator[HttpServer]:
    """Answers `/gone` with 410 and `/ok` with 200; jobs run in this process."""
    settings.JOBS = {**settings.JOBS, "BACKEND": "memory"}
    settings.SITE_URL = "https://jobs.example.com"
    settings.WEBHOOK_SECRET = "whsec_YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcywgb2s="
    with HttpServer() as server:
        server.answers = {"/ok": Answer(), "/gone": Answer(410)}
        yield server


@pytest.fixture
def repo(tmp_path: Path) -> GitRepository:
    made = GitRepository.create(tmp_path / "project")
    made.write("a", 3)
    made.commit("feat: inside", "2026-03-02T00:00:00Z")
    return made


def subscribe(repository: object, recipient: str, **values: Any) -> DigestSubscription:
    return DigestSubscription.objects.create(
        repository=str(repository), channel="webhook", recipient=recipient, **values
    )


def make_digest(repository: object) -> Job:
    """Have a digest made and all that follows from it done."""
    job_id = public.submit("digests.generate", {"repository": str(repository), **PERIOD}).job_id
    drain()
    return public.get(job_id)


def notified(job: Job) -> int:
    """Return how many the job has told."""
    assert job.result is not None
    count: int = job.result["notified"]
    return count


def test_a_digest_too_large_for_a_job_is_told_shortened(receiver: HttpServer) -> None:
    subscribe("octo/huge", receiver.url())
    job_id = public.submit("digests.generate", {"repository": "octo/huge", **PERIOD}).job_id
    changes = tuple(
        change("x" * 190, labels=(f"label {number // 25}",), ref=f"#{number}")
        for number in range(2000)
    )
    made = summary(repository="octo/huge", source="github", pulls=changes)
    digest = store_digest(made, title="Huge", zone=ZoneInfo("UTC"), job_id=job_id)
    assert len(digest.markdown) > jobs_settings().max_params_bytes

    drain()
    assert public.get(job_id).state == "completed"
    (request,) = receiver.requests
    data = request.json["data"]
    assert len(json.dumps(data, ensure_ascii=False).encode()) <= MOST_BYTES
    assert f"[the whole digest](<{data['url']}>)" in data["markdown"]
    assert f'<a href="{data["url"]}"' in data["html"]
    assert "### label 0 (25)" in data["markdown"]
    assert data["counts"] == digest.data["counts"]


def test_a_gone_webhook_is_unsubscribed_and_not_told_again(
    receiver: HttpServer, repo: GitRepository, caplog: pytest.LogCaptureFixture
) -> None:
    gone = subscribe(repo.path, receiver.url("/gone?key=CANARY"))
    elsewhere = subscribe("octo/engine", receiver.url("/gone?key=CANARY"))
    kept = subscribe(repo.path, receiver.url())
    job = make_digest(repo.path)

    assert notified(job) == 2
    (sent,) = public.list(parent_id=job.pk, state="dead")
    assert (sent.failure_reason, sent.attempt) == ("permanent_error", 1)
    (unsubscribing,) = public.list(parent_id=sent.pk)
    assert unsubscribing.result == {"disabled": [gone.pk, elsewhere.pk]}
    assert GONE in LogLine.objects.filter(job=unsubscribing).values_list("message", flat=True)[0]
    rows = {row.pk: row for row in DigestSubscription.objects.all()}
    for each in (gone, elsewhere):
        assert (rows[each.pk].enabled, rows[each.pk].disabled_reason) == (False, GONE)
    assert (rows[kept.pk].enabled, rows[kept.pk].disabled_reason) == (True, "")
    events = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    told = [event for event in events if event["event"] == "digest_subscription_disabled"]
    assert [event["subscription"] for event in told] == [gone.pk, elsewhere.pk]
    assert "CANARY" not in str(told)

    assert notified(make_digest(repo.path)) == 1
    assert [request.path for request in receiver.requests].count("/gone?key=CANARY") == 1


def test_a_webhook_that_refuses_otherwise_stays_subscribed(
    receiver: HttpServer, repo: GitRepository
) -> None:
    receiver.answers["/wrong"] = Answer(400)
    wrong = subscribe(repo.path, receiver.url("/wrong"))
    job = make_digest(repo.path)
    (sent,) = public.list(parent_id=job.pk, state="dead")
    assert public.list(parent_id=sent.pk) == []
    wrong.refresh_from_db()
    assert wrong.enabled


def test_the_admin_says_why_until_someone_enables_it_again() -> None:
    subscription = subscribe(
        "octo/engine", "https://example.com/hook", enabled=False, disabled_reason=GONE
    )
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root", "r@example.com", "pw"))
    changelist = reverse("admin:digests_digestsubscription_changelist")
    form = reverse("admin:digests_digestsubscription_change", args=[subscription.pk])
    for url in (changelist, form):
        assert GONE in client.get(url).content.decode()

    values = {"repository": "octo/engine", "channel": "webhook", "enabled": "on"}
    client.post(form, {**values, "recipient": subscription.recipient})
    subscription.refresh_from_db()
    assert (subscription.enabled, subscription.disabled_reason) == (True, "")
    for url in (changelist, form):
        assert GONE not in client.get(url).content.decode()


def test_an_address_that_cannot_be_used_keeps_the_others_from_nothing(
    repo: GitRepository, receiver: HttpServer
) -> None:
    wrong = subscribe(repo.path, "no address at all", enabled=True)
    subscribe(repo.path, receiver.url("/ok"))
    job = make_digest(repo.path)
    assert job.result is not None
    assert (job.state, job.result["notified"]) == ("completed", 1)
    assert len(receiver.requests) == 1
    (line,) = LogLine.objects.filter(job=job, message__startswith="subscription")
    assert f"subscription {wrong.pk} was not notified" in line.message


def test_a_full_queue_has_the_digest_tried_again_and_no_one_told_twice(
    repo: GitRepository, receiver: HttpServer, settings: Settings
) -> None:
    for number in range(2):
        subscribe(repo.path, receiver.url(f"/ok?{number}"))
    (type_,) = [each for each in registry if each.name == "notifications.send"]
    queue = queue_name(type_.queue, type_.priority)
    job_id = public.submit(
        "digests.generate", {"repository": str(repo.path), **PERIOD}, priority="critical"
    ).job_id
    settings.JOBS = {**settings.JOBS, "QUEUE_SIZES": {queue: 1}}
    drain()
    first = public.get(job_id)
    assert (first.state, first.error_type) == ("retrying", "QueueFull")
    assert len(receiver.requests) == 1
    settings.JOBS = {**settings.JOBS, "QUEUE_SIZES": {}}
    drain(now=timezone.now() + timedelta(hours=1))
    assert notified(public.get(job_id)) == 2
    assert len(receiver.requests) == 2
