"""What a user of a tenant sees and does in the admin: that tenant's own, and nothing else."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from jobs.contrib.digests.models import Digest, DigestSubscription
from jobs.models import ApiKey, AuditEntry, HookSource, Job, Schedule, Tenant, TenantMember, Worker
from jobs.public import create_schedule, submit
from jobs.services.api_keys import create_key
from jobs.services.audit import record
from jobs.services.hooks import create_source
from jobs.services.tenants import create_tenant, put_member
from notifications.models import Delivery

pytestmark = pytest.mark.django_db
JOB_PAGES = ("change/", "history/", "delete/")


@pytest.fixture
def ours() -> Client:
    """The browser of an admin of the tenant acme."""
    user = User.objects.create_user("ada", is_staff=True)
    user.groups.add(Group.objects.get(name="admin"))
    put_member(user, create_tenant("acme", actor="test"), actor="test")
    create_tenant("rival", actor="test")
    browser = Client()
    browser.force_login(user)
    return browser


def jobs() -> tuple[UUID, list[UUID]]:
    """One of acme's, and what acme must not see."""
    return submit("sample.echo", tenant="acme").job_id, [
        submit("sample.echo", tenant="rival").job_id,
        submit("sample.echo").job_id,
    ]


def test_jobs_of_others_are_not_there(ours: Client) -> None:
    mine, hidden = jobs()
    page = ours.get("/admin/jobs/job/").content.decode()
    assert str(mine) in page
    assert not any(str(each) in page for each in hidden)
    assert ours.get(f"/admin/jobs/job/{mine}/change/").status_code == 200
    for each in hidden:
        for part in JOB_PAGES:
            # A page that is not there leads to the index, with a word.
            assert ours.get(f"/admin/jobs/job/{each}/{part}").status_code in {302, 404}
        for act in ("cancel", "retry"):
            assert ours.post(f"/admin/jobs/job/{each}/{act}/").status_code == 404
        data = {"action": "cancel_selected", "_selected_action": [str(each)]}
        ours.post("/admin/jobs/job/", data)
    assert not Job.objects.filter(state="cancelled").exists()
    ours.post(f"/admin/jobs/job/{mine}/cancel/")
    assert Job.objects.get(state="cancelled").pk == mine


def test_what_is_submitted_is_the_tenants(ours: Client) -> None:
    ours.post("/admin/jobs/job/add/?job_type=sample.echo", {"params-value": "7"})
    job = Job.objects.get()
    assert job.tenant == "acme"
    assert AuditEntry.objects.get(action="job.submit").tenant == "acme"


def test_schedules_of_others_are_not_there(ours: Client) -> None:
    mine, hidden = (
        create_schedule(f"of {tenant}", "sample.echo", cron="@daily", tenant=tenant)
        for tenant in ("acme", "rival")
    )
    page = ours.get("/admin/jobs/schedule/").content.decode()
    assert ("of acme" in page, "of rival" in page) == (True, False)
    assert ours.post(f"/admin/jobs/schedule/{hidden.pk}/run-now/").status_code == 404
    assert ours.get(f"/admin/jobs/schedule/{hidden.pk}/change/").status_code == 302
    ours.post(f"/admin/jobs/schedule/{mine.pk}/run-now/")
    assert Job.objects.get().tenant == "acme"
    listed = ours.get(f"/admin/jobs/job/?schedule={hidden.pk}").content.decode()
    assert "of rival" not in listed


def test_a_schedule_that_is_made_is_the_tenants(ours: Client) -> None:
    data = {"name": "nightly", "enabled": "on", "cron": "@daily", "timezone": "UTC"}
    ours.post("/admin/jobs/schedule/add/?job_type=sample.echo", {**data, "params-value": ""})
    assert Schedule.objects.get(name="nightly").tenant == "acme"


def test_the_rest_of_others_is_not_there(ours: Client) -> None:
    now = timezone.now()
    for tenant in ("acme", "rival"):
        Delivery.objects.create(tenant=tenant, channel="email", recipient=f"a@{tenant}.example")
        Digest.objects.create(
            tenant=tenant, repository=f"repo/{tenant}", source="git", start=now - timedelta(days=1),
            end=now, title=f"of {tenant}", data={},
        )  # fmt: skip
        DigestSubscription.objects.create(
            tenant=tenant, repository=f"repo/{tenant}", recipient=f"a@{tenant}.example"
        )
        record(
            actor=f"someone of {tenant}", action="a", target_type="job", target_id=1, tenant=tenant
        )
    for path in (
        "notifications/delivery", "digests/digest", "digests/digestsubscription", "jobs/auditentry",
    ):  # fmt: skip
        page = ours.get(f"/admin/{path}/").content.decode()
        assert ("acme" in page, "rival" in page) == (True, False), path


def test_what_all_share_is_not_theirs(ours: Client) -> None:
    now = timezone.now()
    worker = Worker.objects.create(
        name="w@host", host="host", pid=1, started_at=now, seen_at=now, expires_at=now
    )
    key = create_key("site", role="admin", actor="test").key
    for path in (
        "worker/", f"worker/{worker.pk}/change/", "apikey/", "apikey/add/", "tenant/",
        "tenant/add/", "tenant/rival/change/", "tenantmember/", "tenantmember/add/", "queue/",
        "workerprofile/", "hooksource/", "hooksource/add/",
        f"apikey/{key.pk}/change/",
    ):  # fmt: skip
        assert ours.get(f"/admin/jobs/{path}").status_code == 403, path
    assert ours.post("/admin/jobs/apikey/add/", {"name": "x", "role": "admin"}).status_code == 403
    assert ours.get("/admin/maintenance/healthreport/").status_code == 403
    index = ours.get("/admin/").content.decode()
    assert not any(f"/admin/jobs/{each}/" in index for each in ("worker", "apikey", "tenant"))


def test_the_overview_counts_the_tenants_own(ours: Client) -> None:
    jobs()
    create_schedule("of rival", "sample.echo", cron="@daily", tenant="rival")
    page = ours.get("/admin/").content.decode()
    assert "of rival" not in page
    counted = page.split('href="/admin/jobs/job/?state=queued"', 1)[1][:400]
    assert ">1<" in counted.replace(" ", "").replace("\n", "")


class TestKeys:
    def test_a_key_is_made_and_shown_once(self, admin_client: Client) -> None:
        page = admin_client.get("/admin/jobs/apikey/add/")
        assert page.status_code == 200
        data = {"name": "ci", "role": "operator", "scopes": ["submit"], "expires_in": "30"}
        made = admin_client.post("/admin/jobs/apikey/add/", data)
        key = ApiKey.objects.get()
        text = made.content.decode()
        secret = text.split('aria-label="The key">', 1)[1].split("<", 1)[0]
        assert secret.startswith(f"{key.prefix}_")
        assert "no-store" in made["Cache-Control"]
        assert (key.role, key.scopes, key.created_by) == ("operator", ["submit"], "admin")
        told = Client().get("/api/jobs", headers={"Authorization": f"Bearer {secret}"})
        assert told.status_code == 403  # it is known, and may only submit
        for path in ("", f"{key.pk}/change/"):
            assert secret not in admin_client.get(f"/admin/jobs/apikey/{path}").content.decode()

    def test_what_is_wrong_is_marked(self, admin_client: Client) -> None:
        data = {"name": "ci", "role": "viewer", "scopes": ["administer"]}
        page = admin_client.post("/admin/jobs/apikey/add/", data).content.decode()
        assert "does not hold the scope administer" in page
        assert not ApiKey.objects.exists()

    def test_keys_are_revoked(self, admin_client: Client) -> None:
        key = create_key("ci", role="viewer", actor="test").key
        data = {"action": "revoke", "_selected_action": [key.pk]}
        page = admin_client.post("/admin/jobs/apikey/", data, follow=True).content.decode()
        assert "1 key revoked." in page
        assert ApiKey.objects.get().state == "revoked"

    def test_only_those_who_may(self) -> None:
        user = User.objects.create_user("ada", is_staff=True)
        user.groups.add(Group.objects.get(name="operator"))
        browser = Client()
        browser.force_login(user)
        assert browser.get("/admin/jobs/apikey/add/").status_code == 403
        assert browser.get("/admin/jobs/apikey/").status_code == 403


class TestTenants:
    def test_a_tenant_is_made_and_changed(self, admin_client: Client) -> None:
        data = {"slug": "acme", "name": "Acme", "max_running": "3", "max_ready": ""}
        admin_client.post("/admin/jobs/tenant/add/", data)
        assert Tenant.objects.get().max_running == 3
        admin_client.post("/admin/jobs/tenant/acme/change/", {**data, "max_ready": "10"})
        assert (Tenant.objects.get().max_ready, Tenant.objects.count()) == (10, 1)
        acts = AuditEntry.objects.order_by("id").values_list("action", "details__after__max_ready")
        assert list(acts) == [("tenant.create", None), ("tenant.change", 10)]

    def test_a_user_is_put_into_it_and_taken_out(self, admin_client: Client) -> None:
        create_tenant("acme", actor="test")
        user = User.objects.create_user("ada", is_staff=True)
        admin_client.post("/admin/jobs/tenantmember/add/", {"user": user.pk, "tenant": "acme"})
        member = TenantMember.objects.get()
        assert (member.user, member.tenant_id) == (user, "acme")
        admin_client.post(f"/admin/jobs/tenantmember/{member.pk}/delete/", {"post": "yes"})
        assert not TenantMember.objects.exists()
        told = AuditEntry.objects.filter(action="tenant.member").order_by("id")
        assert [each.details["after"] for each in told] == ["acme", None]


class TestHookSources:
    def test_a_source_is_added_and_its_secret_shown_once(self, admin_client: Client) -> None:
        page = admin_client.get("/admin/jobs/hooksource/add/").content.decode()
        assert "sample.hooked" in page
        assert "sample.echo" not in page
        data = {"name": "our-repo", "kind": "gitlab", "job_type": "sample.hooked"}
        made = admin_client.post("/admin/jobs/hooksource/add/", data).content.decode()
        assert "http://testserver/api/hooks/our-repo" in made
        secret = made.split('id="secret"', 1)[1].split(">", 1)[1].split("<", 1)[0]
        headers = {"X-Gitlab-Token": secret, "X-Gitlab-Event-UUID": "1", "X-Gitlab-Event": "push"}
        address = "/api/hooks/our-repo"
        sent = Client().post(address, "{}", content_type="application/json", headers=headers)
        assert sent.status_code == 202
        source = HookSource.objects.get()
        for path in ("", f"{source.pk}/change/"):
            assert secret not in admin_client.get(f"/admin/jobs/hooksource/{path}").content.decode()
        again = admin_client.post("/admin/jobs/hooksource/add/", data).content.decode()
        assert "there is a source of webhooks our-repo already" in again

    def test_it_is_disabled_enabled_and_removed(self, admin_client: Client) -> None:
        create_source("our-repo", kind="github", job_type="sample.hooked", actor="test")
        source = HookSource.objects.get()
        for action, enabled in (("disable", False), ("enable", True)):
            data = {"action": action, "_selected_action": [source.pk]}
            admin_client.post("/admin/jobs/hooksource/", data)
            assert HookSource.objects.get().enabled is enabled
        admin_client.post(f"/admin/jobs/hooksource/{source.pk}/delete/", {"post": "yes"})
        assert not HookSource.objects.exists()
        acts = AuditEntry.objects.filter(target_type="hooksource").order_by("id")
        assert [each.action for each in acts] == [
            "hook.create", "hook.change", "hook.change", "hook.delete",
        ]  # fmt: skip
