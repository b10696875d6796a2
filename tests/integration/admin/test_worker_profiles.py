"""The pages of workers' profiles, and what the list of workers tells of them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.models import AuditEntry, Worker, WorkerProfile

LIST = "/admin/jobs/workerprofile/"
FORM = {"name": "mail", "enabled": "on", "concurrency": "5", "graceful_shutdown_seconds": "30"}


def worker(name: str = "mail@host", **fields: Any) -> Worker:
    now = timezone.now()
    told = {"queues": ["normal"], "concurrency": 4, "profile": "mail", **fields}
    return Worker.objects.create(
        name=name, host="host", pid=1, version="5.7.0", started_at=now, seen_at=now,
        expires_at=now + timedelta(seconds=30), **told,
    )  # fmt: skip


def test_a_new_one_proposes_five_jobs_and_half_a_minute(browser: Client) -> None:
    page = browser.get(f"{LIST}add/").content.decode()
    assert 'name="concurrency" value="5"' in page
    assert 'name="graceful_shutdown_seconds" value="30"' in page
    assert 'value="sample.echo"' in page


def test_it_is_created_changed_and_deleted_and_each_is_on_record(browser: Client) -> None:
    answer = browser.post(f"{LIST}add/", {**FORM, "job_types": ["sample.echo", "sample.work"]})
    assert answer.status_code == 302, answer.content.decode()
    profile = WorkerProfile.objects.get()
    assert (profile.name, profile.enabled, profile.draining) == ("mail", True, False)
    assert profile.job_types == ["sample.echo", "sample.work"]
    assert (profile.concurrency, profile.graceful_shutdown_seconds) == (5, 30)
    changed = {**FORM, "draining": "on", "concurrency": "", "job_types": ["sample.echo"]}
    browser.post(f"{LIST}{profile.pk}/change/", changed)
    profile.refresh_from_db()
    assert (profile.draining, profile.concurrency, profile.job_types) == (
        True, None, ["sample.echo"]
    )  # fmt: skip
    browser.post(f"{LIST}{profile.pk}/delete/", {"post": "yes"})
    entries = AuditEntry.objects.order_by("id")
    assert [(each.actor, each.action) for each in entries] == [
        ("root", "profile.create"), ("root", "profile.change"), ("root", "profile.delete"),
    ]  # fmt: skip
    assert entries[1].details == {
        "name": "mail", "draining": True, "concurrency": None, "job_types": ["sample.echo"],
    }  # fmt: skip
    audit = browser.get("/admin/jobs/auditentry/?target=workerprofile").content.decode()
    assert f'<a href="{LIST}{entries[0].target_id}/change/">worker profile mail</a>' in audit


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("name", "mail@host", "A name has no spaces and no @."),
        ("concurrency", "0", "greater than or equal to 1"),
        ("job_types", "sample.none", "sample.none is not one of the available choices"),
    ],
)
def test_what_cannot_hold_is_refused_on_its_field(
    browser: Client, field: str, value: str, problem: str
) -> None:
    page = browser.post(f"{LIST}add/", {**FORM, field: value}).content.decode()
    assert problem in page
    assert not WorkerProfile.objects.exists()


def test_a_type_that_is_gone_stays_chosen_until_someone_unticks_it(browser: Client) -> None:
    profile = WorkerProfile.objects.create(name="old", job_types=["gone.type"])
    page = browser.get(f"{LIST}{profile.pk}/change/").content.decode()
    assert "gone.type (no longer registered)" in page
    browser.post(f"{LIST}{profile.pk}/change/", {**FORM, "job_types": ["gone.type"]})
    profile.refresh_from_db()
    assert profile.job_types == ["gone.type"]


def test_the_list_tells_what_holds_and_for_how_many_workers(
    browser: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    WorkerProfile.objects.create(name="mail", job_types=["sample.echo"], concurrency=3)
    WorkerProfile.objects.create(name="night", enabled=False, graceful_shutdown_seconds=7)
    WorkerProfile.objects.create(name="old", draining=True)
    worker()
    worker("mail@other")
    worker("mail@third", stopped_at=timezone.now())
    with django_assert_max_num_queries(8):
        page = browser.get(LIST).content.decode()
    for text in ("sample.echo", "all", "as started", "7 s", "enabled", "disabled", "draining"):
        assert text in page
    assert '<td class="field-workers">2</td>' in page


def test_only_those_who_may_change_them(browser_of: Callable[..., Client]) -> None:
    profile = WorkerProfile.objects.create(name="mail")
    browser = browser_of("view_workerprofile")
    page = browser.get(f"{LIST}{profile.pk}/change/")
    assert page.status_code == 200
    assert 'name="concurrency"' not in page.content.decode()
    assert browser.post(f"{LIST}{profile.pk}/change/", FORM).status_code == 403
    assert browser.get(f"{LIST}add/").status_code == 403


def test_the_workers_pages_tell_profile_and_bounds(browser: Client) -> None:
    scaled = worker(min_concurrency=2, max_concurrency=8)
    worker("fixed@host", profile="")
    page = browser.get("/admin/jobs/worker/").content.decode()
    assert "0 of 4 (2 to 8)" in page
    assert "0 of 4<" in page
    assert '<td class="field-obeys">mail</td>' in page
    assert '<td class="field-obeys">—</td>' in page
    own = browser.get(f"/admin/jobs/worker/{scaled.pk}/change/").content.decode()
    assert "4 (2 to 8)" in own
