"""Events as webhooks: each once, with what it tells of, signed, tried again, and sent again."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from jobs.backends.memory import drain
from jobs.domain.access import Role
from jobs.domain.submission import NewJob
from jobs.models import AuditEntry, Job
from jobs.public import cancel, pause_queue, submit, submit_many
from jobs.services.tenants import create_tenant
from notifications.event_delivery import LADDER
from notifications.events import DELIVER
from notifications.models import EventDelivery, EventSubscription
from notifications.subscriptions import InvalidSubscription, change, rotate, subscribe
from tests.integration.api.conftest import Caller
from tests.integration.api.conftest import caller as caller
from tests.servers.http import Answer, HttpServer

pytestmark = pytest.mark.django_db
State = EventDelivery.State


@pytest.fixture(autouse=True)
def _quiet(settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "BACKEND": "memory"}
    settings.WEBHOOK_PRIVATE_NETWORKS, settings.WEBHOOK_PORTS = [ip_network("127.0.0.0/8")], []


@pytest.fixture
def receiver() -> Iterator[HttpServer]:
    with HttpServer() as server:
        server.answers["/hook"] = Answer(204)
        yield server


@pytest.fixture
def told(receiver: HttpServer) -> Callable[..., str]:
    """Subscribe the receiver; return its secret."""

    def make(*events: str, **options: Any) -> str:
        name = options.pop("name", "receiver")
        url = receiver.url("/hook")
        return subscribe(name, url=url, events=events, actor="ada", **options).secret

    return make


def arrived(receiver: HttpServer) -> list[tuple[str, str]]:
    """What came: the event and the state of its job."""
    return [
        (each.json["type"], each.json["data"]["state"])
        for each in receiver.requests
        if each.path == "/hook"
    ]


class TestSending:
    def test_each_event_of_a_jobs_life_comes_once_and_signed(
        self, receiver: HttpServer, told: Callable[..., str]
    ) -> None:
        secret = told("job.*")
        job_id = submit("sample.echo", {"value": "canary"}).job_id
        drain()
        assert sorted(arrived(receiver)) == [
            ("job.completed", "completed"), ("job.created", "queued"), ("job.started", "running"),
        ]  # fmt: skip
        for request in receiver.requests:
            headers = {name.lower(): value for name, value in request.headers.items()}
            payload = Webhook(secret).verify(request.body, headers)
            assert payload["data"]["job_id"] == str(job_id)
            with pytest.raises(WebhookVerificationError):
                Webhook(secret).verify(request.body + b" ", headers)
            assert b"canary" not in request.body  # never parameters, never results
        assert len({each.headers["webhook-id"] for each in receiver.requests}) == 3
        assert set(EventDelivery.objects.values_list("state", flat=True)) == {State.DELIVERED}

    def test_only_what_is_wanted(self, receiver: HttpServer, told: Callable[..., str]) -> None:
        told("job.failed", "queue_*", job_types=["sample.trouble"], name="one")
        told("queue_paused", name="two")
        submit("sample.echo")
        submit("sample.trouble", {"kind": "permanent"})
        pause_queue("low", actor="ada")
        drain()
        assert sorted(arrived(receiver)) == [("job.failed", "failed"), ("queue_paused", "")]

    def test_a_change_that_is_rolled_back_is_told_to_nobody(
        self, receiver: HttpServer, told: Callable[..., str]
    ) -> None:
        told("job.*")
        with transaction.atomic():
            submit("sample.echo")
            transaction.set_rollback(True)
        drain()
        assert (arrived(receiver), EventDelivery.objects.count()) == ([], 0)

    def test_many_jobs_are_many_events(
        self, receiver: HttpServer, told: Callable[..., str]
    ) -> None:
        told("job.created", "job.cancelled")
        ids = submit_many(NewJob("sample.echo", None) for _ in range(5)).job_ids
        cancel(str(ids[0]), actor="ada")
        drain()
        assert sorted(arrived(receiver)) == [
            ("job.cancelled", "cancelled"), *[("job.created", "queued")] * 5,
        ]  # fmt: skip

    def test_what_becomes_of_the_webhooks_themselves_is_told_to_nobody(
        self, receiver: HttpServer, told: Callable[..., str]
    ) -> None:
        told("*")
        submit("sample.echo")
        drain()
        assert EventDelivery.objects.count() == 3
        assert Job.objects.filter(job_type=DELIVER).count() == 3

    def test_a_tenant_is_told_of_its_own(
        self, receiver: HttpServer, told: Callable[..., str]
    ) -> None:
        create_tenant("acme", actor="test")
        told("*", tenant="acme")
        mine = submit("sample.echo", tenant="acme").job_id
        submit("sample.echo")
        pause_queue("low", actor="ada")
        drain()
        assert {each.json["data"]["job_id"] for each in receiver.requests} == {str(mine)}

    def test_a_process_that_does_not_know_yet_of_a_removal_goes_on(
        self, receiver: HttpServer, told: Callable[..., str]
    ) -> None:
        told("job.*")
        submit("sample.echo")
        EventSubscription.objects.all().delete()  # as another process does
        job_id = submit("sample.echo").job_id
        drain()
        connection.check_constraints()
        assert Job.objects.get(pk=job_id).state == "completed"
        assert receiver.requests == []
        assert not Job.objects.filter(state="failed").exists()

    def test_those_for_which_the_queue_has_no_room_are_sent_later(
        self, told: Callable[..., str], settings: Settings
    ) -> None:
        told("job.created")
        settings.JOBS = {**settings.JOBS, "QUEUE_SIZE": 3}
        submit_many(NewJob("sample.echo", {}, {"priority": "high"}) for _ in range(3))
        submit_many(NewJob("sample.echo", {}, {"priority": "critical"}) for _ in range(3))
        jobs = Job.objects.filter(job_type=DELIVER)
        assert EventDelivery.objects.count() == 6
        assert jobs.count() == 6
        assert set(jobs.values_list("state", flat=True)) == {"queued", "scheduled"}

    def test_without_anyone_who_wants_it_nothing_is_stored(self) -> None:
        submit("sample.echo")
        drain()
        assert not EventDelivery.objects.exists()


class TestFailing:
    def test_it_is_tried_again_by_the_ladder(
        self, receiver: HttpServer, told: Callable[..., str]
    ) -> None:
        told("job.created")
        receiver.answers["/hook"] = Answer(503)
        submit("sample.echo")
        drain()
        job = Job.objects.get(job_type=DELIVER)
        assert job.state == "retrying"
        waits = job.run_at - (job.ended_attempts.get().finished_at)
        assert abs(waits - LADDER[0]) < timedelta(seconds=1)
        receiver.answers["/hook"] = Answer(200)
        drain(now=timezone.now() + timedelta(minutes=1))
        assert EventDelivery.objects.get().state == State.DELIVERED
        ids = {each.headers["webhook-id"] for each in receiver.requests}
        assert (len(receiver.requests), len(ids)) == (2, 1)

    def test_the_receiver_may_ask_for_longer(
        self, receiver: HttpServer, told: Callable[..., str]
    ) -> None:
        told("job.created")
        receiver.answers["/hook"] = Answer(429, {"Retry-After": "600"})
        submit("sample.echo")
        drain()
        job = Job.objects.get(job_type=DELIVER)
        assert job.run_at - timezone.now() > timedelta(minutes=9)

    def test_one_who_is_gone_is_told_no_more_and_its_owner_is(
        self, receiver: HttpServer, told: Callable[..., str]
    ) -> None:
        owner = User.objects.create_user("ada", email="ada@example.org")
        told("job.created", owner=owner)
        receiver.answers["/hook"] = Answer(410)
        submit("sample.echo")
        drain()
        subscription = EventSubscription.objects.get()
        assert (subscription.enabled, "410" in subscription.disabled_reason) == (False, True)
        sent = Job.objects.get(job_type="notifications.send")
        assert sent.params["to"] == ["ada@example.org"]
        submit("sample.echo")
        assert EventDelivery.objects.count() == 1
        assert AuditEntry.objects.filter(action="subscription.disable").exists()

    def test_what_is_left_of_one_that_was_disabled_is_kept_to_be_sent_again(
        self, receiver: HttpServer, told: Callable[..., str]
    ) -> None:
        told("job.created")
        submit("sample.echo")
        change(EventSubscription.objects.get(), actor="ada", enabled=False)
        drain()
        delivery = EventDelivery.objects.get()
        assert (delivery.state, delivery.attempts) == (State.FAILED, 0)
        assert "disabled" in delivery.last_error
        assert receiver.requests == []
        assert Job.objects.get(job_type=DELIVER).state == "completed"

    def test_after_the_last_rung_it_is_disabled_unless_something_arrived(
        self, receiver: HttpServer, told: Callable[..., str]
    ) -> None:
        told("job.created")
        receiver.answers["/hook"] = Answer(500)
        submit("sample.echo")
        later = timezone.now()
        for wait in [timedelta(0), *LADDER]:
            later += wait * 2 + timedelta(seconds=1)
            drain(now=later)
        delivery = EventDelivery.objects.get()
        assert (delivery.state, delivery.attempts) == (State.FAILED, len(LADDER) + 1)
        assert "nothing arrived for three days" in EventSubscription.objects.get().disabled_reason

    def test_an_address_that_is_not_public_is_not_tried_again(
        self, receiver: HttpServer, told: Callable[..., str], settings: Settings
    ) -> None:
        told("job.created")
        settings.WEBHOOK_PRIVATE_NETWORKS = []
        submit("sample.echo")
        drain()
        delivery = EventDelivery.objects.get()
        assert (delivery.state, receiver.requests) == (State.FAILED, [])
        assert "is not a public address" in delivery.last_error


class TestKeeping:
    def test_two_secrets_sign_while_one_replaces_the_other(
        self, receiver: HttpServer, told: Callable[..., str]
    ) -> None:
        old = told("job.created")
        new = rotate(EventSubscription.objects.get(), actor="ada").secret
        submit("sample.echo")
        drain()
        (request,) = receiver.requests
        headers = {name.lower(): value for name, value in request.headers.items()}
        for secret in (old, new):
            Webhook(secret).verify(request.body, headers)
        EventSubscription.objects.update(old_secret_until=timezone.now())
        submit("sample.echo")
        drain()
        headers = {n.lower(): value for n, value in receiver.requests[-1].headers.items()}
        with pytest.raises(WebhookVerificationError):
            Webhook(old).verify(receiver.requests[-1].body, headers)
        assert not any(each in str(EventSubscription.objects.values().get()) for each in (old, new))

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"name": ""}, "1 to 100 printable"),
            ({"url": "ftp://x.example"}, r"must be http\(s\)"),
            ({"url": "nonsense"}, "must be http"),
            ({"events": []}, "name 1 to 20 events"),
            ({"events": ["job.exploded"]}, "names no event"),
            ({"events": ["job.[a-z]*"]}, "names no event"),
        ],
    )
    def test_what_cannot_be_is_named(
        self, told: Callable[..., str], changes: dict[str, Any], why: str
    ) -> None:
        given = {"name": "x", "url": "https://x.example/", "events": ["job.*"], **changes}
        with pytest.raises(InvalidSubscription, match=why):
            subscribe(given.pop("name"), actor="ada", **given)
        told("job.*")
        with pytest.raises(InvalidSubscription, match="there is a subscription 'receiver' already"):
            told("job.*")

    def test_in_production_nothing_is_sent_in_the_clear(self, settings: Settings) -> None:
        settings.WEBHOOK_HTTPS_ONLY = True
        with pytest.raises(InvalidSubscription, match="must begin with https"):
            subscribe("x", url="http://x.example/", events=["job.*"], actor="ada")

    def test_a_change_holds(self, receiver: HttpServer, told: Callable[..., str]) -> None:
        told("job.created")
        subscription = EventSubscription.objects.get()
        change(subscription, actor="ada", enabled=False)
        submit("sample.echo")
        change(subscription, actor="ada", enabled=True, events=["job.cancelled"])
        submit("sample.echo")
        assert not EventDelivery.objects.exists()


class TestOverHttp:
    @pytest.fixture
    def admin(self, caller: Callable[..., Caller]) -> Caller:
        return caller(Role.ADMIN)

    def test_a_subscription_is_made_changed_and_removed(
        self, admin: Caller, receiver: HttpServer
    ) -> None:
        body = {"name": "ci", "url": receiver.url("/hook") + "?token=secret", "events": ["job.*"]}
        made = admin.post("/api/webhooks", body, 201)
        assert made["secret"].startswith("whsec_")
        address = f"/api/webhooks/{made['id']}"
        seen = admin.get(address)
        assert ("secret" in seen, "token=secret" in seen["url"]) == (False, False)
        assert admin.get("/api/webhooks")["items"] == [seen]
        changed = admin.told(admin.send("PATCH", address, {"events": ["job.failed"]}), 200)
        assert changed["events"] == ["job.failed"]
        told = admin.told(admin.send("PATCH", address, {"events": ["no.such"]}), 400)
        assert told["code"] == "invalid_subscription"
        rotated = admin.post(f"{address}/rotate", {"overlap_seconds": 60})
        assert rotated["secret"] != made["secret"]
        assert admin.send("DELETE", address).status_code == 204
        admin.get(address, 404)
        acts = AuditEntry.objects.filter(target_type="eventsubscription").order_by("id")
        assert [each.action.split(".")[1] for each in acts] == [
            "create", "change", "rotate", "delete",
        ]  # fmt: skip
        assert "token=secret" not in json.dumps(list(acts.values("details")))

    def test_what_was_sent_is_seen_and_sent_again(
        self, admin: Caller, receiver: HttpServer, told: Callable[..., str]
    ) -> None:
        told("job.created")
        receiver.answers["/hook"] = Answer(404)
        for _ in range(3):
            submit("sample.echo")
        drain()
        address = f"/api/webhooks/{EventSubscription.objects.get().pk}"
        sent = admin.get(f"{address}/deliveries?state=failed")["items"]
        assert ([each["answer"] for each in sent], sent[0]["attempts"]) == (["404"] * 3, 1)
        receiver.answers["/hook"] = Answer(200)
        one = sent[0]["id"]
        assert admin.post(f"{address}/deliveries/{one}/replay") == {"count": 1}
        drain()
        assert receiver.requests[-1].headers["webhook-id"] == one
        now = timezone.now()
        span = {
            "created_after": (now - timedelta(hours=1)).isoformat(),
            "created_before": (now + timedelta(hours=1)).isoformat(),
        }
        assert admin.post(f"{address}/replay", span) == {"count": 2}
        drain()
        assert admin.get(f"{address}/deliveries?state=failed")["items"] == []
        assert admin.post(f"{address}/replay", {**span, "failed_only": False}) == {"count": 3}
        admin.post(f"{address}/deliveries/{uuid4()}/replay", status=404)


class TestAdmin:
    def test_subscriptions_are_seen_and_switched_and_events_sent_again(
        self, admin_client: Client, receiver: HttpServer, told: Callable[..., str]
    ) -> None:
        secret = told("job.created")
        receiver.answers["/hook"] = Answer(404)
        submit("sample.echo")
        drain()
        listed = admin_client.get("/admin/notifications/eventsubscription/").content.decode()
        assert ("receiver" in listed, secret in listed) == (True, False)
        sent = admin_client.get("/admin/notifications/eventdelivery/").content.decode()
        assert "the receiver answered 404" in sent
        delivery = EventDelivery.objects.get()
        page = admin_client.get(f"/admin/notifications/eventdelivery/{delivery.pk}/change/")
        assert page.status_code == 200
        receiver.answers["/hook"] = Answer(200)
        data = {"action": "send_again", "_selected_action": [str(delivery.pk)]}
        admin_client.post("/admin/notifications/eventdelivery/", data)
        drain()
        assert EventDelivery.objects.get().state == State.DELIVERED
        subscription = EventSubscription.objects.get()
        data = {"action": "disable", "_selected_action": [str(subscription.pk)]}
        admin_client.post("/admin/notifications/eventsubscription/", data)
        assert not EventSubscription.objects.get().enabled
        address = f"/admin/notifications/eventsubscription/{subscription.pk}/change/"
        assert admin_client.get(address).status_code == 200
        audit = admin_client.get("/admin/jobs/auditentry/?target=eventsubscription")
        told_of = audit.content.decode()
        assert f'<a href="{address}">event subscription receiver</a>' in told_of
        assert ("subscription.change" in told_of, "job.submit" in told_of) == (True, False)
