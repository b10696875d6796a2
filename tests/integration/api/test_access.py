"""Who may use the API, and for what."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from jobs.domain.access import Role, Scope
from jobs.domain.errors import InvalidAccess, KeyNotFound
from jobs.models import ApiKey, AuditEntry
from jobs.services.api_keys import create_key, get_key, revoke_key, rotate_key
from tests.integration.api.conftest import Caller

Make = Callable[..., Caller]


def test_without_a_key_nothing_is_told(db: None) -> None:
    told = Caller(None).get("/api/jobs", 401)
    assert (told["code"], "jobs keys create" in told["detail"]) == ("unauthenticated", True)
    response = Caller(None).send("GET", "/api/jobs")
    assert response["WWW-Authenticate"] == 'Bearer realm="Jobsite"'


def test_a_key_is_kept_as_its_digest_alone(db: None) -> None:
    new = create_key("ci", role="operator", actor="ada")
    assert new.secret.startswith(f"{new.key.prefix}_")
    assert len(new.secret) == len("jsk_12345678_") + 43
    row = ApiKey.objects.filter(pk=new.key.pk).values().get()
    assert not any(
        new.secret.removeprefix(new.key.prefix)[1:] in str(each) for each in row.values()
    )
    entry = AuditEntry.objects.get(action="key.create")
    assert new.secret not in str(entry.details)
    assert (entry.actor, entry.details["after"]["role"]) == ("ada", "operator")


@pytest.mark.parametrize("wrong", ["", "x", "jsk_00000000_" + "a" * 43, "{prefix}", "{secret}x",
                                   "{prefix}_" + "a" * 43, "Basic {secret}"])  # fmt: skip
def test_a_wrong_key_is_refused(db: None, wrong: str) -> None:
    new = create_key("ci", role="admin", actor="ada")
    secret = wrong.format(prefix=new.key.prefix, secret=new.secret)
    assert Caller(secret).get("/api/jobs", 401)["code"] == "unauthenticated"


def test_a_key_that_has_ended_is_refused(caller: Make) -> None:
    using = caller(expires_in=timedelta(minutes=5))
    using.get("/api/jobs")
    ApiKey.objects.update(expires_at=timezone.now())
    using.get("/api/jobs", 401)
    using = caller()
    key = get_key(using.secret or "")
    assert key.last_used_at is None
    using.get("/api/jobs")
    assert get_key(key.prefix).last_used_at is not None
    assert revoke_key(key, actor="ada")
    using.get("/api/jobs", 401)
    assert not revoke_key(key, actor="ada")


def test_a_key_is_replaced_by_one_that_may_the_same(caller: Make) -> None:
    using = caller(Role.OPERATOR, scopes=["submit"])
    old = get_key(using.secret or "")
    new = rotate_key(old, actor="ada", overlap=timedelta(hours=1))
    assert (new.key.role, new.key.scopes, new.key.name) == ("operator", ["submit"], "test")
    using.post("/api/jobs", {"type": "sample.echo"}, 202)
    Caller(new.secret).post("/api/jobs", {"type": "sample.echo"}, 202)
    old.refresh_from_db()
    assert old.expires_at is not None
    rotate_key(old, actor="ada")
    using.post("/api/jobs", {"type": "sample.echo"}, 401)
    old.refresh_from_db()
    with pytest.raises(InvalidAccess, match="has ended"):
        rotate_key(old, actor="ada")


def test_a_key_does_what_its_scopes_allow_and_no_more(caller: Make) -> None:
    using = caller(Role.OPERATOR, scopes=["submit"])
    using.post("/api/jobs", {"type": "sample.echo"}, 202)
    told = using.get("/api/jobs", 403)
    assert told["code"] == "forbidden"
    assert told["detail"].startswith("this needs the scope read; key jsk_")
    with pytest.raises(InvalidAccess, match="does not hold the scope administer"):
        create_key("x", role="operator", scopes=["administer"], actor="ada")
    with pytest.raises(InvalidAccess, match="there is no scope 'all'"):
        create_key("x", role="operator", scopes=["all"], actor="ada")
    with pytest.raises(InvalidAccess, match="there is no role 'root'"):
        create_key("x", role="root", actor="ada")
    with pytest.raises(KeyNotFound, match="there is no key jsk_00000000"):
        get_key("jsk_00000000")


def test_a_key_does_no_more_than_its_user_may(caller: Make) -> None:
    user = User.objects.create_user("ada", is_staff=True)
    user.groups.add(Group.objects.get(name="viewer"))
    using = caller(Role.ADMIN, user=user)
    using.get("/api/jobs")
    using.post("/api/jobs", {"type": "sample.echo"}, 403)
    user.groups.add(Group.objects.get(name="operator"))
    told = using.post("/api/jobs", {"type": "sample.echo"}, 202)
    assert using.get(f"/api/jobs/{told['jobId']}")["created_by_id"] == user.pk
    user.is_active = False
    user.save()
    using.get("/api/jobs", 401)


def test_someone_who_is_logged_in_needs_no_key(db: None) -> None:
    user = User.objects.create_user("ada", is_staff=True)
    user.groups.add(Group.objects.get(name="operator"))
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    assert browser.get("/api/jobs").status_code == 200

    def submit(**headers: str) -> Any:
        body = '{"type": "sample.echo"}'
        return browser.post("/api/jobs", body, content_type="application/json", headers=headers)

    refused = submit()
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    browser.cookies["csrftoken"] = token = "a" * 32
    assert submit(**{"X-CSRFToken": token}).status_code == 202
    user.is_staff = False
    user.save()
    assert browser.get("/api/jobs").status_code == 401


def test_the_roles_are_groups_with_their_permissions(db: None) -> None:
    held = {
        group.name: set(group.permissions.values_list("codename", flat=True))
        for group in Group.objects.all()
    }
    assert set(held) == {"viewer", "operator", "admin"}
    assert {"view_job", "view_schedule", "view_delivery", "view_digest"} <= held["viewer"]
    assert not {"view_auditentry", "submit_job", "view_apikey"} & held["viewer"]
    assert held["operator"] - held["viewer"] == {
        "submit_job", "cancel_job", "retry_job", "trigger_schedule", "pause_queue", "cancel_batch",
        "reset_breaker",
    }  # fmt: skip
    assert {"view_auditentry", "delete_job", "add_schedule", "add_apikey"} <= held["admin"]
    assert held["viewer"] < held["operator"] < held["admin"]
    assert Role.VIEWER.scopes < Role.OPERATOR.scopes < Role.ADMIN.scopes == frozenset(Scope)
