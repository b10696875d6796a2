"""Tenants: each sees and steers its own, and learns nothing of the others'."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, User

from jobs.contrib.digests.models import Digest
from jobs.domain.access import Role
from jobs.domain.errors import InvalidAccess, InvalidOption, QuotaExceeded, TenantNotFound
from jobs.models import Job, Tenant
from jobs.public import create_schedule, get, submit
from jobs.runtime.executor import run_ready
from jobs.services.api_keys import create_key
from jobs.services.limits import take_within_limits
from jobs.services.taking import Taker
from jobs.services.tenants import change_tenant, create_tenant, get_tenant, put_member
from notifications.models import Delivery
from tests.integration.api.conftest import Caller

Make = Callable[..., Caller]
pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Tenant:
    return create_tenant("acme", actor="test")


@pytest.fixture
def other() -> Tenant:
    return create_tenant("other", actor="test")


def job_of(tenant: str) -> UUID:
    return submit("sample.echo", tenant=tenant).job_id


class TestSeeing:
    def test_a_key_sees_its_tenants_jobs(self, caller: Make, acme: Tenant, other: Tenant) -> None:
        mine, foreign, nobodys = job_of("acme"), job_of("other"), submit("sample.echo").job_id
        ours = caller(Role.ADMIN, tenant=acme)
        assert [each["id"] for each in ours.get("/api/jobs")["items"]] == [str(mine)]
        assert ours.get("/api/jobs?tenant=other")["items"] == []
        for hidden in (foreign, nobodys):
            ours.get(f"/api/jobs/{hidden}", 404)
            ours.post(f"/api/jobs/{hidden}/cancel", status=404)
            ours.post(f"/api/jobs/{hidden}/retry", status=404)
        assert Job.objects.filter(state="cancelled").count() == 0
        everyones = caller(Role.ADMIN)
        assert len(everyones.get("/api/jobs")["items"]) == 3
        assert len(everyones.get("/api/jobs?tenant=other")["items"]) == 1

    def test_what_it_submits_is_its_own(self, caller: Make, acme: Tenant, other: Tenant) -> None:
        ours = caller(Role.OPERATOR, tenant=acme)
        told = ours.post("/api/jobs", {"type": "sample.echo"}, 202)
        assert get(told["jobId"]).tenant == "acme"
        told = ours.post("/api/jobs", {"type": "sample.echo", "tenant": "other"}, 400)
        assert told["detail"] == "there is no tenant 'other'"
        told = ours.post("/api/jobs", {"type": "sample.echo", "tenant": "none"}, 400)
        assert told["detail"] == "there is no tenant 'none'"
        everyones = caller(Role.OPERATOR)
        told = everyones.post("/api/jobs", {"type": "sample.echo", "tenant": "other"}, 202)
        assert get(told["jobId"]).tenant == "other"

    def test_keys_of_two_do_not_meet(self, caller: Make, acme: Tenant, other: Tenant) -> None:
        body = {"type": "sample.echo", "idempotency_key": "same"}
        first = caller(Role.OPERATOR, tenant=acme).post("/api/jobs", body, 202)
        second = caller(Role.OPERATOR, tenant=other).post("/api/jobs", body, 202)
        assert first["jobId"] != second["jobId"]

    def test_schedules_of_two_tenants_may_have_one_name(
        self, caller: Make, acme: Tenant, other: Tenant
    ) -> None:
        body = {"name": "nightly", "type": "sample.echo", "cron": "@daily"}
        ours, theirs = (caller(Role.ADMIN, tenant=each) for each in (acme, other))
        mine = ours.post("/api/jobs/schedules", body, 201)
        foreign = theirs.post("/api/jobs/schedules", body, 201)
        assert ours.post("/api/jobs/schedules", body, 409)["code"] == "schedule_conflict"
        listed = ours.get("/api/jobs/schedules")["items"]
        assert [each["id"] for each in listed] == [mine["id"]]
        there = f"/api/jobs/schedules/{foreign['id']}"
        ours.get(there, 404)
        ours.get(f"{there}/next", 404)
        for act in ("trigger", "enable", "disable"):
            ours.post(f"{there}/{act}", status=404)
        assert ours.send("PATCH", there, {"name": "mine"}).status_code == 404
        assert ours.send("DELETE", there).status_code == 404
        job = ours.post(f"/api/jobs/schedules/{mine['id']}/trigger", status=202)
        assert get(job["jobId"]).tenant == "acme"

    def test_figures_are_of_its_own_jobs(self, caller: Make, acme: Tenant, other: Tenant) -> None:
        job_of("acme")
        job_of("other")
        submit("sample.echo", priority="high")
        ours = caller(Role.VIEWER, tenant=acme)
        assert ours.get("/api/jobs/stats")["total"] == 1
        assert ours.get("/api/jobs/metrics")["total"]["waiting"] == 1
        ready = {each["name"]: each["ready"] for each in ours.get("/api/queues")}
        assert (ready["normal"], ready["high"]) == (1, 0)
        assert caller(Role.VIEWER).get("/api/jobs/stats")["total"] == 3

    def test_what_all_share_is_not_its_own(self, caller: Make, acme: Tenant) -> None:
        ours = caller(Role.ADMIN, tenant=acme)
        for told in (
            ours.get("/api/jobs/workers", 403),
            ours.post("/api/queues/low/pause", status=403),
            ours.post("/api/queues/low/resume", status=403),
        ):
            assert told["code"] == "not_for_tenants"

    def test_digests_and_deliveries_are_its_own(
        self, caller: Make, acme: Tenant, other: Tenant
    ) -> None:
        deliveries = [
            Delivery.objects.create(tenant=tenant, channel="email", recipient="a@b", template="t")
            for tenant in ("acme", "other", "")
        ]
        start = deliveries[0].created_at
        digests = [
            Digest.objects.create(
                tenant=tenant, repository="a/b", source="git", start=start, title="t", data={},
                end=start + timedelta(days=1),
            )
            for tenant in ("acme", "other", "")
        ]  # fmt: skip
        ours = caller(Role.VIEWER, tenant=acme)
        listed = ours.get("/api/deliveries")["items"]
        assert [each["id"] for each in listed] == [str(deliveries[0].pk)]
        assert [each["id"] for each in ours.get("/api/digests")["items"]] == [digests[0].pk]
        for delivery, digest in zip(deliveries[1:], digests[1:], strict=True):
            ours.get(f"/api/deliveries/{delivery.pk}", 404)
            ours.get(f"/api/digests/{digest.pk}", 404)
        assert ours.get(f"/api/deliveries/{deliveries[0].pk}")["channel"] == "email"
        assert ours.get(f"/api/digests/{digests[0].pk}")["title"] == "t"

    def test_a_user_sees_what_is_its_tenants(self, caller: Make, acme: Tenant) -> None:
        user = User.objects.create_user("ada", is_staff=True)
        user.groups.add(Group.objects.get(name="operator"))
        put_member(user, acme, actor="test")
        mine = job_of("acme")
        submit("sample.echo")
        using = caller(Role.ADMIN, user=user)
        assert [each["id"] for each in using.get("/api/jobs")["items"]] == [str(mine)]
        tenant = create_tenant("third", actor="test")
        with pytest.raises(InvalidAccess, match="belongs to tenant acme"):
            create_key("x", role="viewer", actor="test", user=user, tenant=tenant)
        put_member(user, None, actor="test")
        assert len(using.get("/api/jobs")["items"]) == 2


class TestInheriting:
    def test_a_job_that_a_job_leads_to_is_of_the_same_tenant(self, acme: Tenant) -> None:
        submit("sample.parent", tenant="acme")
        run_ready(Taker(worker_id=None, pid=1), ["normal"])
        assert set(Job.objects.values_list("tenant", flat=True)) == {"acme"}
        assert Job.objects.count() > 1

    def test_an_occurrence_is_of_its_schedules_tenant(self, acme: Tenant) -> None:
        schedule = create_schedule("daily", "sample.echo", cron="@daily", tenant="acme")
        assert schedule.tenant == "acme"
        with pytest.raises(InvalidOption, match="there is no tenant 'none'"):
            create_schedule("other", "sample.echo", cron="@daily", tenant="none")
        with pytest.raises(InvalidOption, match="there is no tenant 'none'"):
            submit("sample.echo", tenant="none")


class TestQuotas:
    def test_no_more_are_ready_than_its_quota(self, caller: Make, acme: Tenant) -> None:
        change_tenant(acme, actor="test", max_ready=2)
        ours = caller(Role.OPERATOR, tenant=acme)
        for _ in range(2):
            ours.post("/api/jobs", {"type": "sample.echo"}, 202)
        response = ours.send("POST", "/api/jobs", {"type": "sample.echo"})
        assert (response.status_code, response.json()["code"]) == (429, "quota_exceeded")
        assert response["Retry-After"] == "1"
        submit("sample.echo")  # nobody's jobs have room
        with pytest.raises(QuotaExceeded, match="tenant acme has 2 ready jobs, which is its quota"):
            job_of("acme")
        told = ours.post("/api/jobs/bulk", {"jobs": [{"type": "sample.echo"}] * 2}, 429)
        assert told["code"] == "quota_exceeded"
        submit("sample.echo", tenant="acme", delay=timedelta(hours=1))  # not ready, so accepted

    def test_no_more_run_than_its_quota(self, acme: Tenant, other: Tenant) -> None:
        change_tenant(acme, actor="test", max_running=1)
        mine = [job_of("acme") for _ in range(3)]
        foreign = job_of("other")

        def taken() -> list[UUID]:
            taker = Taker(worker_id=None, pid=1)
            return [job.pk for job in take_within_limits(taker, ["normal"], crowded=False)]

        assert taken() == [mine[0]]
        assert taken() == [foreign]
        assert taken() == []

    def test_what_cannot_be_is_named(self, acme: Tenant) -> None:
        with pytest.raises(InvalidAccess, match="there is a tenant acme already"):
            create_tenant("acme", actor="test")
        with pytest.raises(InvalidAccess, match="not 'A B'"):
            create_tenant("A B", actor="test")
        with pytest.raises(InvalidAccess, match="max_running of tenant acme must be at least 1"):
            change_tenant(acme, actor="test", max_running=0)
        with pytest.raises(TenantNotFound, match="there is no tenant 'none'; there are: acme"):
            get_tenant("none")
