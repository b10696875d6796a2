from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.models import AuditEntry, Job, Schedule
from jobs.public import create_schedule
from jobs.services import scheduling

LIST = "/admin/jobs/schedule/"


@pytest.fixture
def schedule(db: None) -> Schedule:
    return create_schedule("nightly", "sample.echo", cron="30 2 * * *", time_zone="Europe/Berlin")


def page_of(browser: Client, schedule: Schedule) -> str:
    return browser.get(f"{LIST}{schedule.pk}/change/").content.decode()


def act_on(browser: Client, action: str, *schedules: Schedule) -> str:
    data = {"action": action, "_selected_action": [str(each.pk) for each in schedules]}
    return browser.post(LIST, data, follow=True).content.decode()


def test_the_list_tells_cron_in_english_and_the_next_run_in_its_own_zone(
    browser: Client, schedule: Schedule
) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(
        next_run_at=datetime(2030, 7, 1, 0, 30, tzinfo=UTC), last_error="the type is away\nmore"
    )
    page = browser.get(LIST).content.decode()
    assert 'nightly<div class="job-exact">sample.echo</div></a>' in page
    assert "At 02:30" in page
    assert "30 2 * * *" in page
    assert "Mon 01 Jul 2030, 02:30 CEST" in page
    assert "✓</span> enabled" in page
    assert "the type is away" in page


@pytest.mark.parametrize(
    ("cron", "english"), [("@daily", "At 00:00"), ("*/5 * * * *", "Every 5 minutes")]
)
def test_macros_and_steps_are_told_in_english(
    browser: Client, schedule: Schedule, cron: str, english: str
) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(cron=cron)
    assert english in browser.get(LIST).content.decode()


def test_a_row_that_no_longer_can_be_read_breaks_neither_the_list_nor_its_page(
    browser: Client, schedule: Schedule
) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(cron="bad", timezone="Mars/Base")
    assert browser.get(LIST).status_code == 200
    assert "It never runs as it is." in page_of(browser, schedule)


def test_the_page_shows_the_next_five_runs_across_a_change_of_clocks(
    browser: Client, schedule: Schedule
) -> None:
    now = datetime(2026, 10, 23, 12, 0, tzinfo=UTC)
    with mock.patch("jobs.admin.schedule_page.timezone.now", return_value=now):
        page = page_of(browser, schedule)
    assert "Sat 24 Oct 2026, 02:30 CEST" in page
    assert "Sun 25 Oct 2026, 02:30 CEST" in page
    assert "Mon 26 Oct 2026, 02:30 CET" in page
    assert "Mon 26 Oct, 01:30" in page  # UTC
    assert page.split('class="job-runs"')[1].split("</table>")[0].count("<tr>") == 6


def test_the_page_shows_recent_jobs_and_leads_to_all_of_them(
    browser: Client, schedule: Schedule
) -> None:
    submission = scheduling.trigger(schedule, actor="root")
    page = page_of(browser, schedule)
    assert f"/admin/jobs/job/{submission.job_id}/change/" in page
    assert f"/admin/jobs/job/?schedule={schedule.pk}" in page
    assert "run by hand" in page


def test_run_now_makes_a_job_and_links_to_it(browser: Client, schedule: Schedule) -> None:
    before = schedule.next_run_at
    page = browser.post(f"{LIST}{schedule.pk}/run-now/", follow=True).content.decode()
    job = Job.objects.get(schedule=schedule)
    assert f'<a href="/admin/jobs/job/{job.pk}/change/"' in page.split("messagelist")[1]
    assert (job.trigger, job.created_by) == (Job.Trigger.MANUAL, job.created_by)
    assert job.created_by is not None
    assert AuditEntry.objects.filter(actor="root", action="schedule.trigger").exists()
    schedule.refresh_from_db()
    assert schedule.next_run_at == before


def test_run_now_of_a_selection(browser: Client, schedule: Schedule) -> None:
    other = create_schedule("broken", "sample.echo", cron="0 * * * *")
    Schedule.objects.filter(pk=other.pk).update(job_type="gone.type")
    page = act_on(browser, "run_now", schedule, other)
    assert "nightly runs now as job" in page
    assert "broken could not be run" in page
    assert Job.objects.count() == 1


def test_run_now_needs_its_permission_and_a_post(
    browser_of: Callable[..., Client], schedule: Schedule
) -> None:
    browser = browser_of("view_schedule", "change_schedule")
    address = f"{LIST}{schedule.pk}/run-now/"
    assert address not in page_of(browser, schedule)
    assert browser.post(address).status_code == 403
    act_on(browser, "run_now", schedule)
    assert not Job.objects.exists()


def test_one_who_may_only_trigger_can(
    browser_of: Callable[..., Client], schedule: Schedule
) -> None:
    browser = browser_of("view_schedule", "trigger_schedule")
    address = f"{LIST}{schedule.pk}/run-now/"
    assert address in page_of(browser, schedule)
    assert browser.get(address).status_code == 405
    assert browser.post(address).status_code == 302
    assert Job.objects.count() == 1


def test_disabling_and_enabling_plan_anew(browser: Client, schedule: Schedule) -> None:
    assert "1 schedule disabled." in act_on(browser, "disable", schedule)
    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.next_run_at) == (False, None)
    act_on(browser, "enable", schedule)
    schedule.refresh_from_db()
    assert schedule.enabled
    assert schedule.next_run_at is not None
    assert schedule.next_run_at > timezone.now() - timedelta(seconds=1)


def test_the_list_takes_the_same_few_queries_however_long_it_is(
    browser: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        create_schedule(f"s{number}", "sample.echo", cron="0 * * * *")
    with django_assert_max_num_queries(7):
        browser.get(LIST)
