import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.domain.states import State
from jobs.models import AuditEntry, Job, Worker
from jobs.public import create_schedule
from jobs.services import scheduling
from jobs.services.audit import record

JobIn = Callable[..., Job]


def a_worker(name: str, *, expires_in: timedelta, left: bool = False) -> Worker:
    now = timezone.now()
    return Worker.objects.create(
        name=name, host="one", pid=7, version="1.2.3", queues=["high", "normal"], concurrency=3,
        started_at=now - timedelta(hours=1), seen_at=now, expires_at=now + expires_in,
        stopped_at=now if left else None,
    )  # fmt: skip


def test_the_index_counts_jobs_and_workers_and_links_to_them(
    browser: Client, job_in: JobIn
) -> None:
    for state in (State.FAILED, State.FAILED, State.RUNNING):
        job_in(state, error="disk full")
    a_worker("alive@one", expires_in=timedelta(seconds=30))
    a_worker("lost@one", expires_in=timedelta(seconds=-30))
    page = browser.get("/admin/").content.decode()
    card = page.split('href="/admin/jobs/job/?state=failed"')[1].split("</a>")[0]
    assert ">2<" in card
    assert "failed" in card
    workers = page.split('class="job-card job-card--completed" href="/admin/jobs/worker/"')[1]
    assert ">1<small> of 2</small>" in workers
    assert "disk full" in page
    assert "No worker is alive" not in page


def test_the_index_has_a_tile_for_every_state(browser: Client) -> None:
    page = browser.get("/admin/").content.decode()
    assert [state for state in State if f'href="/admin/jobs/job/?state={state}"' in page] == [
        *State
    ]


def test_the_latest_failures_are_those_that_failed_last(browser: Client, job_in: JobIn) -> None:
    now = timezone.now()
    for minutes in (1, 9, 3):
        job_in(State.FAILED, error=f"{minutes} min", finished_at=now - timedelta(minutes=minutes))
    failures = browser.get("/admin/").content.decode().split("Latest failures")[1]
    assert re.findall(r'job-error-line">(\d) min', failures) == ["1", "3", "9"]


def test_the_index_refreshes_itself(browser: Client) -> None:
    assert 'id="job-overview" data-refresh>' in browser.get("/admin/").content.decode()


def test_the_index_says_when_no_worker_is_alive(browser: Client, job_in: JobIn) -> None:
    job_in()
    page = browser.get("/admin/").content.decode()
    assert "No worker is alive, and 1 job waits" in page
    assert "celery -A jobsite worker" in page


def test_the_index_shows_what_is_planned_and_what_people_did(browser: Client) -> None:
    for name in ("nightly", "sample.echo"):
        create_schedule(name, "sample.echo", cron="* * * * *")
    record(actor="ada", action="job.retry", target_type="job", target_id="x")
    page = browser.get("/admin/").content.decode()
    assert ">nightly</a>" in page
    assert page.count("</time> · sample.echo") == 1  # not after the schedule that is named after it
    assert "by ada" in page


def test_the_index_costs_a_handful_of_queries(
    browser: Client, job_in: JobIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(10):
        job_in(State.FAILED)
    browser.get("/admin/")
    with django_assert_max_num_queries(10):
        browser.get("/admin/")


def test_the_jobs_come_first_and_the_site_has_its_name(browser: Client) -> None:
    page = browser.get("/admin/").content.decode()
    assert '<div id="site-name"><a href="/admin/">Jobsite</a></div>' in page
    body = page.split('id="content-main"')[1]
    places = [body.index(f"app-{label} module") for label in ("jobs", "notifications", "auth")]
    assert places == sorted(places)
    models = [body.index(f'id="jobs-{name}"') for name in ("job", "schedule", "worker")]
    assert models == sorted(models)


def test_a_user_without_permissions_sees_nothing_of_the_engine(
    browser_of: Callable[..., Client], job_in: JobIn
) -> None:
    job_in(State.FAILED, error="disk full")
    page = browser_of().get("/admin/").content.decode()
    assert "job-card" not in page
    assert "disk full" not in page


@pytest.mark.parametrize(
    "model",
    [model for model in admin.site._registry if model._meta.app_label != "auth"],
    ids=lambda model: model._meta.label,
)
def test_the_list_and_the_form_of_every_model_render(browser: Client, model: type) -> None:
    options = model._meta  # type: ignore[attr-defined]
    name = f"admin:{options.app_label}_{options.model_name}"
    response = browser.get(reverse(f"{name}_changelist"))
    assert response.status_code == 200
    expected = 200 if response.context["has_add_permission"] else 403
    assert browser.get(reverse(f"{name}_add")).status_code == expected


def test_workers_show_their_health_and_running_jobs(browser: Client, job_in: JobIn) -> None:
    alive = a_worker("alive@one", expires_in=timedelta(seconds=30))
    a_worker("lost@one", expires_in=timedelta(seconds=-30))
    a_worker("left@one", expires_in=timedelta(seconds=30), left=True)
    job = job_in(State.RUNNING, worker=alive)
    page = browser.get("/admin/jobs/worker/").content.decode()
    rows = {
        name: page.split(f">{name}@one<")[1].split("</tr>")[0] for name in ("alive", "lost", "left")
    }
    for name, row in rows.items():
        assert f"</span> {name}</span>" in row
    assert "high, normal" in rows["alive"]
    assert "1 of 3" in rows["alive"]
    assert "1.2.3" in rows["alive"]
    only = browser.get("/admin/jobs/worker/?health=lost").content.decode()
    assert "lost@one" in only
    assert "alive@one" not in only
    detail = browser.get(f"/admin/jobs/worker/{alive.pk}/change/").content.decode()
    assert f"/admin/jobs/job/{job.pk}/change/" in detail
    assert browser.post(f"/admin/jobs/worker/{alive.pk}/change/", {}).status_code == 403
    assert browser.post(f"/admin/jobs/worker/{alive.pk}/delete/", {"post": "y"}).status_code == 403


def test_audit_entries_can_be_read_and_nothing_else(browser: Client, job_in: JobIn) -> None:
    job = job_in()
    entry = record(
        actor="ada", action="job.retry", target_type="job", target_id=job.pk, note="<b>why</b>"
    )
    page = browser.get("/admin/jobs/auditentry/").content.decode()
    assert f"/admin/jobs/job/{job.pk}/change/" in page
    assert "&lt;b&gt;why&lt;/b&gt;" in page
    address = f"/admin/jobs/auditentry/{entry.pk}/"
    assert "ada" in browser.get(f"{address}change/").content.decode()
    assert browser.get("/admin/jobs/auditentry/add/").status_code == 403
    assert browser.post(f"{address}change/", {"actor": "eve"}).status_code == 403
    assert browser.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"}
    browser.post("/admin/jobs/auditentry/", data)
    assert AuditEntry.objects.get().actor == "ada"


def test_an_audit_entry_names_its_schedule(browser: Client) -> None:
    schedule = create_schedule("nightly", "sample.echo", cron="0 2 * * *")
    scheduling.trigger(schedule, actor="ada")
    record(
        actor="ada", action="schedule.change", target_type="schedule", target_id=schedule.pk,
        name="nightly", changed=["cron", "timezone"],
    )  # fmt: skip
    page = browser.get("/admin/jobs/auditentry/").content.decode()
    link = f'<a href="/admin/jobs/schedule/{schedule.pk}/change/">schedule nightly</a>'
    assert page.count(link) == 3  # made, triggered, changed
    assert "changed: cron, timezone" in page
    assert "name: nightly" not in page


def test_what_nobody_changes_has_no_history(browser: Client) -> None:
    entry = record(actor="ada", action="job.retry", target_type="job", target_id="x")
    worker = a_worker("one@one", expires_in=timedelta(seconds=30))
    for page in (f"worker/{worker.pk}", f"auditentry/{entry.pk}"):
        response = browser.get(f"/admin/jobs/{page}/change/")
        assert response.status_code == 200
        assert "historylink" not in response.content.decode()


def test_what_people_change_has_its_history(browser: Client) -> None:
    schedule = create_schedule("nightly", "sample.echo", cron="0 2 * * *")
    page = browser.get(f"/admin/jobs/schedule/{schedule.pk}/change/").content.decode()
    assert "historylink" in page


def test_audit_entries_are_filtered_and_searched(browser: Client) -> None:
    for kind in ("job", "schedule"):
        record(actor=f"of-{kind}", action=f"{kind}.act", target_type=kind, target_id="1")
    page = browser.get("/admin/jobs/auditentry/?target=job&since=hour&q=of").content.decode()
    assert "of-job" in page
    assert "of-schedule" not in page
