"""Webhooks that others send: signed rightly, each is one job."""

import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.test import Client
from standardwebhooks import Webhook

from jobs.domain.errors import HookNotFound, InvalidAccess, UnknownJobType
from jobs.models import AuditEntry, HookSource, Job
from jobs.public import get
from jobs.services.encryption import reencrypt
from jobs.services.hooks import (
    create_source,
    get_source,
    remove_source,
    rotate_secret,
    switch_source,
)
from jobs.services.tenants import create_tenant

pytestmark = pytest.mark.django_db
PUSH = {"ref": "refs/heads/main", "type": "push", "commits": [{"id": "a"}]}
Sign = Callable[[str, bytes], dict[str, str]]


def by_github(secret: str, body: bytes, delivery: str = "d-1") -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, sha256).hexdigest()
    return {
        "X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Delivery": delivery,
        "X-GitHub-Event": "push",
    }  # fmt: skip


def by_gitlab(secret: str, _body: bytes, delivery: str = "d-1") -> dict[str, str]:
    return {"X-Gitlab-Token": secret, "X-Gitlab-Event-UUID": delivery, "X-Gitlab-Event": "push"}


def by_standard(
    secret: str, body: bytes, delivery: str = "d-1", at: datetime | None = None
) -> dict[str, str]:
    at = at or datetime.now(UTC)
    signature = Webhook(secret).sign(delivery, at, body.decode())
    return {
        "webhook-id": delivery, "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }  # fmt: skip


KINDS: dict[str, Any] = {"github": by_github, "gitlab": by_gitlab, "standard": by_standard}


def send(headers: dict[str, str], body: bytes | dict[str, Any] = b"", name: str = "repo") -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    address = f"/api/hooks/{name}"
    return Client().post(address, data, content_type="application/json", headers=headers)


BODY = json.dumps(PUSH).encode()


@pytest.fixture(params=sorted(KINDS))
def source(request: pytest.FixtureRequest) -> tuple[str, Any]:
    """A sender's secret, and how it signs."""
    new = create_source("repo", kind=request.param, job_type="sample.hooked", actor="ada")
    return new.secret, KINDS[request.param]


def test_it_becomes_one_job_however_often_it_is_delivered(source: tuple[str, Any]) -> None:
    secret, signed = source
    first = send(signed(secret, BODY), BODY)
    assert first.status_code == 202, first.content
    job = get(first.json()["jobId"])
    assert job.params == {
        "source": "repo", "event": "push", "delivery_id": "d-1", "payload": PUSH,
    }  # fmt: skip
    again = send(signed(secret, BODY), BODY)
    assert (again.status_code, again.json()["jobId"]) == (200, str(job.pk))
    other = send(signed(secret, BODY, "d-2"), BODY)
    assert other.status_code == 202
    assert Job.objects.count() == 2
    entry = AuditEntry.objects.filter(action="job.submit").earliest("id")
    assert (entry.actor, entry.details["event"]) == ("webhook repo", "push")
    assert get_source("repo").last_received_at is not None


def test_what_is_not_signed_rightly_is_no_job(source: tuple[str, Any]) -> None:
    secret, signed = source
    right = signed(secret, BODY)
    wrong = signed("whsec_" + "A" * 44 if secret.startswith("whsec_") else "x" * 32, BODY)
    for headers in ({}, wrong, {**right, **dict.fromkeys(list(right)[:1], "")}):
        told = send(headers, BODY)
        assert (told.status_code, told.json()["code"]) == (401, "bad_signature")
        assert secret not in told.content.decode()
    if signed is not by_gitlab:  # which signs no body
        assert send(right, {**PUSH, "ref": "refs/heads/evil"}).status_code == 401
    assert not Job.objects.exists()


def test_an_old_one_is_refused() -> None:
    new = create_source("repo", kind="standard", job_type="sample.hooked", actor="ada")
    for minutes in (-6, 6):
        at = datetime.now(UTC) + timedelta(minutes=minutes)
        assert send(by_standard(new.secret, BODY, at=at), BODY).status_code == 401


def test_the_vector_of_githubs_documentation() -> None:
    secret, body = "It's a Secret to Everybody", b"Hello, World!"
    create_source("repo", kind="github", job_type="sample.hooked", actor="ada", secret=secret)
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    told = send({"X-Hub-Signature-256": signature}, body)
    assert (told.status_code, told.json()["code"]) == (400, "invalid_webhook")  # signed; not JSON


@pytest.mark.parametrize(
    ("body", "delivery", "code"),
    [
        (b"[]", "d", "invalid_webhook"),
        (b"{", "d", "invalid_webhook"),
        (b"payload=%7B%7D", "d", "invalid_webhook"),
        (b"{}", "", "invalid_webhook"),
        (b"{}", "x" * 200, "invalid_webhook"),
        (b'{"a": "\\u0000"}', "d", "invalid_parameters"),
        (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "d", "invalid_webhook"),
        (json.dumps({"a": "x" * 300_000}).encode(), "d", "parameters_too_large"),
    ],
)
def test_what_is_signed_and_cannot_be_read(body: bytes, delivery: str, code: str) -> None:
    new = create_source("repo", kind="github", job_type="sample.hooked", actor="ada")
    told = send(by_github(new.secret, body, delivery), body)
    assert told.status_code in {400, 422}
    assert told.json()["code"] in {code, "invalid_parameters"}
    assert not Job.objects.exists()


def test_nobody_is_there(source: tuple[str, Any]) -> None:
    secret, signed = source
    for name in ("nobody", "Repo", "x" * 60):
        assert send(signed(secret, BODY), BODY, name).status_code in {400, 404}
    switch_source(get_source("repo"), enabled=False, actor="ada")
    assert send(signed(secret, BODY), BODY).status_code == 404
    switch_source(get_source("repo"), enabled=True, actor="ada")
    assert send(signed(secret, BODY), BODY).status_code == 202
    remove_source(get_source("repo"), actor="ada")
    assert send(signed(secret, BODY), BODY).status_code == 404
    with pytest.raises(HookNotFound):
        get_source("repo")


def test_the_old_secret_holds_for_as_long_as_the_overlap(source: tuple[str, Any]) -> None:
    old, signed = source
    new = rotate_secret(get_source("repo"), actor="ada", overlap=timedelta(hours=1)).secret
    assert send(signed(new, BODY), BODY).status_code == 202
    assert send(signed(old, BODY, "d-2"), BODY).status_code == 202
    HookSource.objects.update(old_secret_until=datetime.now(UTC))
    assert send(signed(old, BODY, "d-3"), BODY).status_code == 401
    assert send(signed(new, BODY, "d-3"), BODY).status_code == 202


def test_a_secret_is_not_kept_in_plain(source: tuple[str, Any]) -> None:
    secret, signed = source
    rotate_secret(get_source("repo"), actor="ada", overlap=timedelta(hours=1))
    row = str(HookSource.objects.values().get())
    told = str(list(AuditEntry.objects.values()))
    assert secret not in row + told
    assert reencrypt() == 1
    assert send(signed(secret, BODY), BODY).status_code == 202


def test_its_jobs_are_the_tenants() -> None:
    create_tenant("acme", actor="test")
    new = create_source("repo", kind="gitlab", job_type="sample.hooked", actor="ada", tenant="acme")
    told = send(by_gitlab(new.secret, BODY), BODY)
    assert get(told.json()["jobId"]).tenant == "acme"


@pytest.mark.parametrize(
    ("changes", "error", "why"),
    [
        ({"kind": "bitbucket"}, InvalidAccess, "there is no kind of webhook 'bitbucket'"),
        ({"job_type": "no.such"}, UnknownJobType, "is not registered"),
        ({"job_type": "sample.charge"}, InvalidAccess, "must be a HookDelivery"),
        ({"secret": "short"}, InvalidAccess, "16 to 200 printable"),
        ({"kind": "standard", "secret": "whsec_x"}, InvalidAccess, "the base64 of 24 to 64"),
        ({"tenant": "none"}, InvalidAccess, "there is no tenant 'none'"),
    ],
)
def test_what_cannot_be_is_named(changes: dict[str, Any], error: type, why: str) -> None:
    given = {"kind": "github", "job_type": "sample.hooked", **changes}
    with pytest.raises(error, match=why):
        create_source("repo", actor="ada", **given)
    with pytest.raises(InvalidAccess, match="not 'A B'"):
        create_source("A B", actor="ada", kind="github", job_type="sample.hooked")
    assert not HookSource.objects.exists()
