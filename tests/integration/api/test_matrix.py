"""Every cell of role x operation x whose object it is, by the table in the documentation."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from jobs.api.application import make_api
from jobs.backends.memory import drain
from jobs.contrib.digests.models import Digest
from jobs.domain.access import Role, Scope
from jobs.models import Tenant, Worker
from jobs.public import NewJob, create_batch, create_schedule, submit
from jobs.selectors.clock import database_now
from jobs.services.api_keys import create_key
from jobs.services.tenants import create_tenant
from jobsite.env import BASE_DIR
from notifications.models import Delivery, EventDelivery, EventSubscription
from tests.integration.api.conftest import Caller, drop

TENANTS = ("", "acme", "rival")
#: What all tenants share: a tenant's key may not, whatever its role.
OF_THE_SITE = {"listWorkers", "getWorker", "pauseQueue", "resumeQueue"}
ECHO = {"type": "sample.echo"}
BODIES: dict[str, Any] = {
    "submitJob": ECHO,
    "submitJobs": {"jobs": [ECHO]},
    "createBatch": {"jobs": [ECHO]},
    "addToBatch": {"jobs": [ECHO]},
    "createSchedule": {**ECHO, "name": "another", "cron": "@daily"},
    "changeSchedule": {"cron": "@hourly"},
    "simulateSchedule": {"cron": "@hourly"},
    "retryDeadLetters": {"all": True},
    "purgeDeadLetters": {"all": True},
    "makeToken": {},
    "createWebhook": {"name": "new", "url": "https://x.example/", "events": ["job.*"]},
    "changeWebhook": {"events": ["job.failed"]},
    "rotateWebhookSecret": {},
    "replayWebhook": {
        "created_after": "2026-01-01T00:00:00Z",
        "created_before": "2026-01-02T00:00:00Z",
    },
}
QUERIES = {"previewSchedule": "?cron=@daily"}


@dataclass(frozen=True)
class Operation:
    """One of the API's, as its own document and the documentation tell of it."""

    name: str
    method: str
    path: str
    scope: str

    @property
    def has_object(self) -> bool:
        return "_id}" in self.path and "worker_id" not in self.path


@cache
def operations() -> list[Operation]:
    page = (BASE_DIR / "docs" / "api.md").read_text()
    scopes = dict(re.findall(r"^\| `([A-Z]+ /api/[^`]+)` \|.*\| (.+?) \|$", page, re.MULTILINE))
    document = make_api().get_openapi_schema(path_prefix="api/")
    told = [
        (str(each["operationId"]), method.upper(), path)
        for path, methods in document["paths"].items()
        for method, each in methods.items()
    ]
    assert {f"{method} {path}" for _, method, path in told} == set(scopes), "docs/api.md"
    return [
        Operation(name, method, path, scopes[f"{method} {path}"].strip("`"))
        for name, method, path in told
    ]


@pytest.fixture(autouse=True)
def _short(settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "API_STREAM_SECONDS": 0}


@pytest.fixture
def objects(db: None) -> dict[str, dict[str, Any]]:
    """One thing of each kind for each tenant, and for nobody."""
    made = {}
    now = database_now()
    worker = Worker.objects.create(
        name="w@host", host="host", pid=1, started_at=now, seen_at=now,
        expires_at=now + timedelta(hours=1),
    )  # fmt: skip
    for tenant in TENANTS:
        if tenant:
            create_tenant(tenant, actor="test")
        dead = submit("sample.trouble", {"kind": "permanent"}, tenant=tenant).job_id
        drain()
        schedule = create_schedule("nightly", "sample.echo", cron="@daily", tenant=tenant)
        delivery = Delivery.objects.create(tenant=tenant, channel="email", recipient="a@b.example")
        digest = Digest.objects.create(
            tenant=tenant, repository="a/b", source="git", start=now - timedelta(days=1), end=now,
            title="t", data={},
        )  # fmt: skip
        webhook = EventSubscription.objects.create(
            tenant=tenant, name="w", url="https://x.example/", events=["job.*"], secret="x",
            enabled=False,
        )  # fmt: skip
        sent = EventDelivery.objects.create(subscription=webhook, event="job.failed", payload={})
        batch = create_batch([NewJob("sample.echo")], tenant=tenant, closed=False).batch_id
        made[tenant] = {
            "batch_id": batch,
            "webhook_id": webhook.pk, "sent_id": sent.pk,
            "job_id": submit("sample.echo", tenant=tenant).job_id, "dead_id": dead,
            "schedule_id": schedule.pk, "delivery_id": delivery.pk, "digest_id": digest.pk,
            "worker_id": worker.pk, "name": "low", "source": "nobody",
        }  # fmt: skip
    return made


def cells(operation: Operation) -> Iterator[tuple[Role, str, str]]:
    """Each role, whose key it is, and whose object is meant."""
    for role in Role:
        for tenant in ("", "acme"):
            for owner in TENANTS if operation.has_object else ("acme",):
                yield role, tenant, owner


def expected(operation: Operation, role: Role, tenant: str, owner: str) -> set[int]:
    if operation.scope == "a signature":
        return {404}  # of nobody: it has tests of its own
    if operation.scope != "any key" and Scope(operation.scope) not in role.scopes:
        return {403}
    if operation.name in OF_THE_SITE and tenant:
        return {403}
    if operation.has_object and tenant and owner != tenant:
        return {404}
    # A job that waits cannot be retried, and a schedule's name may be taken.
    return {200, 201, 202, 204, 409} | ({503} if operation.name in {"getHealth"} else set())


@pytest.mark.parametrize("operation", operations(), ids=lambda each: each.name)
def test_every_cell(operation: Operation, objects: dict[str, dict[str, Any]]) -> None:
    keys = {
        (role, tenant): create_key(
            "cell", role=role, actor="test",
            tenant=Tenant.objects.get(pk=tenant) if tenant else None,
        ).secret
        for role in Role
        for tenant in ("", "acme")
    }  # fmt: skip
    refused = allowed = 0
    for role, tenant, owner in cells(operation):
        ids = dict(objects[owner])
        if operation.path.startswith("/api/webhooks"):
            ids["delivery_id"] = ids["sent_id"]
        if "dead-letters/{job_id}" in operation.path:
            ids["job_id"] = ids["dead_id"]
        address = operation.path.format(**ids) + QUERIES.get(operation.name, "")
        caller = Caller(keys[role, tenant])
        with transaction.atomic():
            response = caller.send(operation.method, address, BODIES.get(operation.name))
            transaction.set_rollback(True)  # the next cell finds everything as it was
        if response.streaming:
            drop(response)
        if operation.name == "followEvents" and response.status_code == 503:
            continue  # no stream with this back end; what it is for tenants has a test of its own
        wanted = expected(operation, role, tenant, owner)
        cell = (operation.name, role, tenant, owner)
        assert response.status_code in wanted, (cell, response.content[:300])
        refused += wanted in ({403}, {404})
        allowed += wanted not in ({403}, {404})
    assert refused + allowed or operation.name == "followEvents"
    if operation.scope != "a signature":
        assert Caller(None).send(operation.method, address).status_code == 401
